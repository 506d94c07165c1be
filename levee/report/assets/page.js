"use strict";
(() => {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");

  // A figure names colours as CSS variables; here they become the theme's values.
  const painted = (value, style) => {
    if (typeof value === "string") return value.startsWith("--") ? style.getPropertyValue(value).trim() : value;
    if (Array.isArray(value)) return value.map((item) => painted(item, style));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, painted(item, style)]));
    }
    return value;
  };

  const axes = (layout) => Object.keys(layout).filter((name) => /^[xy]axis\d*$/.test(name));

  // What depends on the width: room for the texts at the ends of bars, fewer ticks and no texts where it is narrow.
  const fit = (place, figure, data, layout) => {
    const width = place.clientWidth;
    if (figure.room) {
      const { most, text, label } = figure.room;
      const bars = Math.max(60, width - 7.2 * label - 40);
      layout.xaxis.range = [0, most * Math.max(1.02, bars / Math.max(40, bars - 7.6 * text - 10))];
    }
    if (figure.narrow && width < 560) {
      for (const [name, change] of Object.entries(figure.narrow.axes)) Object.assign(layout[name], change);
    }
    if (figure.narrow) {
      for (const trace of data) if (width / trace.x.length < 58) trace.textposition = "none";
    }
  };

  // Point at a resource: its own lines stand out. Traces 0 and 1 hold lines as x, x, null; trace 2 those that are lit.
  const light = (place) => {
    place.on("plotly_hover", ({ points: [point] }) => {
      const lit = { x: [], y: [] };
      for (const { x, y } of place.data.slice(0, 2)) {
        for (let i = 0; i < x.length; i += 3) {
          if (![i, i + 1].some((end) => x[end] === point.x && y[end] === point.y)) continue;
          lit.x.push(x[i], x[i + 1], null);
          lit.y.push(y[i], y[i + 1], null);
        }
      }
      Plotly.restyle(place, { x: [lit.x], y: [lit.y] }, [2]);
    });
    place.on("plotly_unhover", () => Plotly.restyle(place, { x: [[]], y: [[]] }, [2]));
  };

  const draw = () => {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const axis = { gridcolor: colour("--grid"), zerolinecolor: colour("--grid"), linecolor: colour("--rule"), fixedrange: true };
    for (const [id, figure] of Object.entries(figures)) {
      const { data, layout } = painted(figure, style);
      fit(document.getElementById(id), figure, data, layout);
      Plotly.react(id, data, {
        ...layout,
        ...Object.fromEntries(axes(layout).map((name) => [name, { ...axis, ...layout[name] }])),
        font: { family: getComputedStyle(document.body).fontFamily, size: 12.5, color: colour("--text") },
        paper_bgcolor: "rgba(0,0,0,0)",
        plot_bgcolor: "rgba(0,0,0,0)",
        separators: ".,",
        hoverlabel: { bgcolor: colour("--sunken"), bordercolor: colour("--rule"), align: "left",
          font: { color: colour("--text"), size: 13 } },
        dragmode: false,
      }, { displayModeBar: false, responsive: true, staticPlot: false, plotGlPixelRatio: 1 });
    }
    const graph = document.getElementById("resource-graph");
    if (graph && !graph.dataset.lit) {
      light(graph);
      graph.dataset.lit = "ready";
    }
    document.documentElement.dataset.drawn = String(Object.keys(figures).length);
  };

  dark.addEventListener("change", draw);
  let waiting = 0;
  addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(draw, 150);
  });
  draw();
})();
