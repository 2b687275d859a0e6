//! SVG plots.

use charts_rs::{BarChart, ChartBase, Color, LegendCategory, LineChart, Series, SeriesBand, YAxisConfig};
use serde::Serialize;

/// A plot.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Plot {
    /// Name of the SVG file, without extension.
    pub name: String,
    /// Caption.
    pub caption: String,
    /// The SVG, which scales to the width of its container.
    pub svg: String,
}

/// A named series: a line, or the bars of one colour.
pub(super) struct Line {
    pub name: String,
    pub values: Vec<Option<f64>>,
    /// Standard deviations, shown as error bars.
    pub deviations: Vec<Option<f64>>,
}

/// Width and height in pixels, legible on small screens.
const SIZE: (f32, f32) = (480.0, 300.0);
/// A palette for all kinds of colour vision (Okabe and Ito 2008).
const COLOURS: [&str; 7] = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#666666"];

/// Grouped bars in percent, with error bars of one standard deviation.
pub(super) fn bars(name: &str, caption: &str, groups: &[String], lines: &[Line]) -> Option<Plot> {
    let mut series = self::series(lines);
    for (series, line) in series.iter_mut().zip(lines) {
        if line.deviations.iter().any(Option::is_some) {
            let ends = |sign: f64| {
                line.values
                    .iter()
                    .zip(&line.deviations)
                    .map(|(value, deviation)| Some((value.as_ref()? + sign * deviation.as_ref()?) as f32))
                    .collect()
            };
            series.error_bar = Some(SeriesBand { lower: ends(-1.0), upper: ends(1.0), stroke_width: Some(1.2) });
        }
    }
    let mut chart = BarChart::new_with_theme(series, groups.to_vec(), "light");
    style(&mut chart.base, &mut chart.y_axis_configs);
    for axis in &mut chart.y_axis_configs {
        (axis.min, axis.max, axis.split_number) = (Some(0.0), Some(100.0), 5);
    }
    plot(name, caption, chart.svg().ok()?)
}

/// Lines over epochs.
pub(super) fn lines(name: &str, caption: &str, lines: &[Line]) -> Option<Plot> {
    let longest = lines.iter().map(|line| line.values.len()).max().filter(|&n| n > 0)?;
    let epochs = (1..=longest).map(|epoch| epoch.to_string()).collect();
    let mut chart = LineChart::new_with_theme(series(lines), epochs, "light");
    style(&mut chart.base, &mut chart.y_axis_configs);
    chart.base.series.symbol = Some(charts_rs::Symbol::None);
    plot(name, caption, chart.svg().ok()?)
}

fn series(lines: &[Line]) -> Vec<Series> {
    let series = |line: &Line| {
        let data = line.values.iter().map(|value| value.map(|value| value as f32)).collect();
        Series::new_nullable(line.name.clone(), data)
    };
    lines.iter().map(series).collect()
}

fn style(chart: &mut ChartBase, axes: &mut [YAxisConfig]) {
    (chart.width, chart.height) = SIZE;
    chart.font_family = "Roboto, Helvetica, Arial, sans-serif".into();
    chart.background_color = Color::white();
    chart.series.colors = COLOURS.iter().map(|&colour| colour.into()).collect();
    chart.legend.category = LegendCategory::Rect;
    chart.legend.font.size = 13.0;
    chart.legend.margin = Some(charts_rs::Box { top: 4.0, bottom: 6.0, ..Default::default() });
    chart.x_axis.font.size = 13.0;
    axes.iter_mut().for_each(|axis| axis.font.size = 13.0);
}

fn plot(name: &str, caption: &str, svg: String) -> Option<Plot> {
    Some(Plot { name: name.into(), caption: caption.into(), svg })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str) -> Line {
        Line { name: name.into(), values: vec![Some(10.0), None, Some(30.0)], deviations: vec![Some(1.0), None, None] }
    }

    #[test]
    fn plots_have_labels_and_no_external_references() {
        let groups = ["0-9", "10-19", "20+"].map(str::to_owned);
        let bars = bars("b", "Relations", &groups, &[line("CMAN"), line("a & b")]).unwrap();
        let curve = lines("l", "Loss", &[line("CMAN")]).unwrap();
        for text in ["CMAN", "a &amp; b", "10-19", "100"] {
            assert!(bars.svg.contains(text), "{text} in {}", bars.svg);
        }
        for svg in [&bars.svg, &curve.svg] {
            assert!(svg.contains("viewBox") && !svg.contains("href") && !svg.contains("url("), "{svg}");
        }
        assert!(lines("l", "nothing", &[]).is_none());
    }
}
