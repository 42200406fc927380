//! The table of figures.

use std::fmt;

/// One line: a figure, and what it is held against.
#[derive(Debug)]
struct Line {
    what: String,
    figure: String,
    beside: String,
}

/// All figures of a run.
#[derive(Debug, Default)]
pub struct Report(Vec<Line>);

impl Report {
    /// Adds a figure; `beside` is what it is compared with, or empty.
    pub fn add(&mut self, what: impl Into<String>, figure: impl Into<String>, beside: impl Into<String>) {
        let line = Line { what: what.into(), figure: figure.into(), beside: beside.into() };
        eprintln!("  {}: {}  {}", line.what, line.figure, line.beside);
        self.0.push(line);
    }
}

impl fmt::Display for Report {
    /// As a Markdown table.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| what | figure | beside |\n|---|---|---|")?;
        self.0.iter().try_for_each(|line| writeln!(f, "| {} | {} | {} |", line.what, line.figure, line.beside))
    }
}

/// The middle of some values, or the lower of the two middle ones.
pub fn median(values: &mut [f64]) -> f64 {
    quantile(values, 0.5)
}

/// The least value that so much of all values does not exceed (nearest rank); 0 if there are none.
pub fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let below =
        values.iter().enumerate().take_while(|(index, _)| (*index as f64) < share * values.len() as f64).count();
    values.get(below.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let mut values = [5.0, 1.0, 4.0, 2.0, 3.0];
        for (share, expected) in [(0.0, 1.0), (0.5, 3.0), (0.99, 5.0), (1.0, 5.0)] {
            assert!((quantile(&mut values, share) - expected).abs() < f64::EPSILON, "{share}");
        }
        assert!(quantile(&mut [], 0.5).abs() < f64::EPSILON);
    }
}
