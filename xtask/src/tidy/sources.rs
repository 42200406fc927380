//! Rules on the text of one file.

/// Files are for one subject; past this a file has more than one.
const LINES_MAX: usize = 1000;
/// Past this a file is named in the report, so that somebody looks.
const LINES_AIM: usize = 500;

/// Left over from work in progress. Spelled in two halves, so that this file does not find itself.
const LEFTOVERS: [&str; 3] = [concat!("to", "do!("), concat!("unimple", "mented!("), concat!("db", "g!(")];
/// Places on one machine; nobody else has them.
const MACHINE_PATHS: [&str; 3] = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];

/// One file of the repository, named by its path in it.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    pub name: &'a str,
    pub text: &'a str,
}

impl File<'_> {
    /// What must not be.
    pub fn findings(&self) -> Vec<String> {
        let mut findings = Vec::new();
        if self.is_code() && self.lines() > LINES_MAX {
            findings.push(format!("{}: {} lines, more than {LINES_MAX}", self.name, self.lines()));
        }
        for (index, line) in self.text.lines().enumerate() {
            let found = |what: &str| format!("{}:{}: {what}", self.name, index + 1);
            if self.is_rust() && !line.trim_start().starts_with("//") {
                let leftovers = LEFTOVERS.iter().filter(|leftover| line.contains(*leftover));
                findings.extend(leftovers.map(|leftover| found(&format!("`{leftover}…)` is left over"))));
            }
            let paths = MACHINE_PATHS.iter().filter(|path| begins_in(line, path));
            findings.extend(paths.map(|path| found(&format!("`{path}` is a place on one machine"))));
        }
        findings
    }

    /// What somebody should look at.
    pub fn warning(&self) -> Option<String> {
        let lines = self.lines();
        (self.is_code() && lines > LINES_AIM && lines <= LINES_MAX)
            .then(|| format!("{}: {lines} lines, more than the {LINES_AIM} that files aim at", self.name))
    }

    /// How many tests the file declares: Rust's `#[test]` and its relatives, pytest's functions.
    pub fn tests(&self) -> usize {
        let lines = self.text.lines().map(str::trim_start);
        if self.is_rust() {
            return lines.filter(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test")).count();
        }
        if self.is_python() { lines.filter(|line| line.starts_with("def test_")).count() } else { 0 }
    }

    /// The crate or folder that the file's tests are counted for.
    pub fn owner(&self) -> String {
        match self.name.split('/').collect::<Vec<_>>().as_slice() {
            ["crates", name, _, ..] => (*name).to_owned(),
            ["tests", name, _, ..] => format!("tests/{name}"),
            [first, _, ..] => (*first).to_owned(),
            _ => String::new(),
        }
    }

    fn lines(&self) -> usize {
        self.text.lines().count()
    }

    fn is_rust(&self) -> bool {
        self.extension() == "rs"
    }

    fn is_python(&self) -> bool {
        self.extension() == "py"
    }

    fn is_code(&self) -> bool {
        self.is_rust() || self.is_python()
    }

    fn extension(&self) -> &str {
        self.name.rsplit_once('.').map_or("", |(_, extension)| extension)
    }
}

/// Whether an absolute path that begins with `prefix` stands in the line: `a/work/b` and `https://h/work/` are none.
fn begins_in(line: &str, prefix: &str) -> bool {
    line.match_indices(prefix).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|before| {
            !before.is_alphanumeric() && !matches!(before, '.' | '-' | '_' | '~' | '}' | '/' | '$')
        })
    })
}

/// Whether the root file of a crate begins with its documentation, after attributes if it likes.
pub fn has_page(text: &str) -> bool {
    let is_included = text.lines().any(|line| line.starts_with("#![doc = include_str!("));
    let begins_with_it = text
        .lines()
        .find(|line| !line.trim().is_empty() && !line.starts_with("#!"))
        .is_some_and(|line| line.strip_prefix("//!").is_some_and(|page| !page.trim().is_empty()));
    is_included || begins_with_it
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leftovers_are_found_in_code_and_not_in_comments() {
        let text = format!("fn a() {{ {}) }}\n// {})\n", LEFTOVERS[0], LEFTOVERS[1]);
        assert_eq!(File { name: "a.rs", text: &text }.findings().len(), 1);
        assert_eq!(File { name: "a.md", text: &text }.findings().len(), 0);
        assert_eq!(File { name: "a.rs", text: "mydbg(1)" }.findings().len(), 0);
    }

    #[test]
    fn a_path_of_one_machine_is_found_and_a_url_is_not() {
        for path in MACHINE_PATHS {
            for found in [format!("see {path}x"), format!("\"{path}x\""), path.to_owned()] {
                assert_eq!(File { name: "a.md", text: &found }.findings().len(), 1, "{found}");
            }
            for fine in [format!("https://example.com{path}x"), format!("a{path}b"), format!("..{path}b")] {
                assert_eq!(File { name: "a.md", text: &fine }.findings().len(), 0, "{fine}");
            }
        }
    }

    #[test]
    fn the_line_limit_fails_and_the_aim_warns() {
        let cases = [(LINES_AIM, 0, false), (LINES_AIM + 1, 0, true), (LINES_MAX, 0, true), (LINES_MAX + 1, 1, false)];
        for (lines, findings, warns) in cases {
            let text = "x\n".repeat(lines);
            let file = File { name: "crates/bus/src/lib.rs", text: &text };
            assert_eq!((file.findings().len(), file.warning().is_some()), (findings, warns), "{lines}");
        }
        let data = "x\n".repeat(LINES_MAX + 1);
        assert_eq!(File { name: "data.json", text: &data }.findings().len(), 0);
    }

    #[test]
    fn tests_are_counted_for_their_crate() {
        let text = "#[test]\nfn a() {}\n    #[tokio::test(flavor = \"current_thread\")]\n// #[test]\n";
        let file = File { name: "crates/bus/src/rule.rs", text };
        assert_eq!((file.tests(), file.owner().as_str()), (2, "bus"));
        let file = File { name: "tests/e2e/test_tls.py", text: "def test_a():\n    pass\n\ndef helper():\n" };
        assert_eq!((file.tests(), file.owner().as_str()), (1, "tests/e2e"));
        assert_eq!(File { name: "xtask/src/main.rs", text: "" }.owner(), "xtask");
    }

    #[test]
    fn a_page_may_follow_attributes() {
        for page in ["//! What it is.\n", "#![no_std]\n\n//! What it is.\n"] {
            assert!(has_page(page), "{page}");
        }
        for none in ["", "//!\n", "use std::fs;\n//! late\n", "// What it is.\n"] {
            assert!(!has_page(none), "{none}");
        }
    }
}
