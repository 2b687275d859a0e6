// How confident the predictions are: a histogram for each task and, compared with gold annotation, how often predictions of
// each confidence are right.

const BINS = 10;
const [PLOT_WIDTH, PLOT_HEIGHT, MARGIN] = [250, 110, { left: 46, top: 8, right: 8, bottom: 30 }];

// The predictions of a task by confidence: number, number of right ones and sum of confidences of each bin.
function makeBins(task) {
  const bins = Array.from({ length: BINS }, () => ({ count: 0, right: 0, sum: 0 }));
  for (const sentence of sentences) {
    for (const { confidence, verdict } of sentence[task]) {
      if (confidence === null || verdict === MISSED || verdict === EXPECTED) continue;
      const bin = bins[Math.min(BINS - 1, Math.floor(confidence * BINS))];
      bin.count++;
      bin.right += verdict === RIGHT ? 1 : 0;
      bin.sum += confidence;
    }
  }
  return bins;
}

const inPercent = (share) => `${(100 * share).toFixed(1)} %`;

// A plot with the confidence from 0 to 1 below and `top` as the largest value on the left.
function makePlot(title, top) {
  const svg = element("svg", {
    width: PLOT_WIDTH + MARGIN.left + MARGIN.right, height: PLOT_HEIGHT + MARGIN.top + MARGIN.bottom, role: "img", "aria-label": title,
  });
  const plot = element("g", { transform: `translate(${MARGIN.left},${MARGIN.top})` });
  plot.append(element("path", { class: "axis", d: `M0 0V${PLOT_HEIGHT}H${PLOT_WIDTH}` }));
  for (const value of [0, 0.5, 1]) {
    plot.append(element("text", { class: "tick", x: value * PLOT_WIDTH, y: PLOT_HEIGHT + 14, "text-anchor": "middle" }, String(value)));
  }
  plot.append(element("text", { class: "tick", x: PLOT_WIDTH / 2, y: PLOT_HEIGHT + 27, "text-anchor": "middle" }, "confidence"));
  plot.append(element("text", { class: "tick", x: -5, y: 8, "text-anchor": "end" }, top));
  svg.append(plot);
  return { svg, plot };
}

// Bars of the number of predictions; the filled part is right.
function makeHistogram(name, bins) {
  const most = Math.max(...bins.map((bin) => bin.count));
  const { svg, plot } = makePlot(`${name} by confidence`, number(most));
  const compared = data.scores !== null;
  bins.forEach(({ count, right }, i) => {
    const [from, to] = [i / BINS, (i + 1) / BINS];
    const bar = element("g");
    const rectangle = (kind, first, last) => element("rect", {
      class: kind, x: from * PLOT_WIDTH + 1, width: PLOT_WIDTH / BINS - 2,
      y: PLOT_HEIGHT * (1 - last / most), height: (PLOT_HEIGHT * (last - first)) / most,
    });
    const solid = compared ? right : count;
    bar.append(element("title", {}, `${from} to ${to}: ${number(count)}${compared ? `, ${number(right)} right` : ""}`));
    if (solid > 0) bar.append(rectangle("bar", 0, solid));
    if (count > solid) bar.append(rectangle("bar wrong", solid, count));
    plot.append(bar);
  });
  return svg;
}

// The share of right predictions of each bin, over their mean confidence. On the dashed line, 0.9 is right nine times in ten.
function makeCurve(name, bins) {
  const { svg, plot } = makePlot(`${name}: share that is right, by confidence`, "1");
  plot.append(element("path", { class: "ideal", d: `M0 ${PLOT_HEIGHT}L${PLOT_WIDTH} 0` }));
  const points = bins.filter((bin) => bin.count > 0).map(({ count, right, sum }) => ({
    x: (sum / count) * PLOT_WIDTH, y: PLOT_HEIGHT * (1 - right / count), text: `confidence ${(sum / count).toFixed(2)}: ${number(right)} of ${number(count)} right, ${inPercent(right / count)}`,
  }));
  plot.append(element("path", { class: "curve", d: `M${points.map(({ x, y }) => `${x} ${y}`).join("L")}` }));
  for (const { x, y, text } of points) {
    const point = element("circle", { class: "point", cx: x, cy: y, r: 3.5 });
    point.append(element("title", {}, text));
    plot.append(point);
  }
  return svg;
}

// The expected calibration error of Guo et al. (2017) over equal bins.
function calibrationError(bins, total) {
  return bins.reduce((error, { count, right, sum }) => error + (count > 0 ? Math.abs(right - sum) : 0), 0) / total;
}

// Fills the section with the plots of both tasks.
function makeConfidences(section) {
  for (const [task, name] of [["entities", "Entities"], ["relations", "Relations"]]) {
    const bins = makeBins(task);
    const total = bins.reduce((sum, bin) => sum + bin.count, 0);
    if (total === 0) continue;
    const figure = html("figure");
    const parts = [`${name}: ${plural(total, "prediction", "predictions")} by confidence`];
    figure.append(makeHistogram(name, bins));
    if (data.scores !== null) {
      figure.append(makeCurve(name, bins));
      parts.push("filled bars are right, outlined ones wrong; the points are the share that is right");
      parts.push(`expected calibration error ${inPercent(calibrationError(bins, total))}`);
    }
    figure.append(html("figcaption", "help", `${parts.join("; ")}.`));
    section.append(figure);
    section.hidden = false;
  }
}
