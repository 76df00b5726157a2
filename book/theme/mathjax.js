/* Start MathJax from the parts that the pages need: TeX in, HTML and hidden MathML out. Its menu is left out, half a
   megabyte that makes every formula a stop of the Tab key. From a server the parts come packed, a quarter of the size
   where the server does not compress; from a file, or in a browser that cannot unpack, they come as they are. */
(() => {
  const root = new URL("mathjax", document.currentScript.src).href;

  const plain = (address) =>
    new Promise((done, fail) => {
      const script = document.createElement("script");
      script.src = address;
      script.onload = () => done();
      script.onerror = () => fail(new Error(`not loaded: ${address}`));
      document.head.append(script);
    });

  const packed = async (address) => {
    const answer = await fetch(`${address}.gz`);
    if (!answer.ok) throw new Error(`not there: ${address}.gz`);
    const unpacked = answer.body.pipeThrough(new DecompressionStream("gzip"));
    const code = await new Response(unpacked).text();
    await plain(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
  };

  const canUnpack = location.protocol !== "file:" && "DecompressionStream" in window;
  const load = (address) => (canUnpack ? packed(address).catch(() => plain(address)) : plain(address));

  window.MathJax = {
    ...window.MathJax,
    loader: {
      load: ["core", "input/tex", "output/chtml", "a11y/assistive-mml"],
      paths: { mathjax: root },
      require: load,
    },
  };
  load(`${root}/startup.js`);
})();
