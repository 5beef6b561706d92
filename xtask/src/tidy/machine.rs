//! Nothing in the repository knows the machine that it was written on, or where a package index is.

use super::{SourceFile, Violation};

/// Beginnings of paths that exist on one machine only. Parted so that this file does not break its own rule.
const PATHS: [&str; 3] = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];

/// Hosts of packages: each user's own configuration names theirs.
const HOSTS: [&str; 6] = [
    concat!("pypi", ".org"),
    concat!("python", "hosted.org"),
    concat!("download.py", "torch.org"),
    concat!("index.cra", "tes.io"),
    concat!("static.cra", "tes.io"),
    concat!("deb.deb", "ian.org"),
];

/// Finds a path or a host that works in one place only.
pub fn check(file: &SourceFile) -> Vec<Violation> {
    let path = |line: &str| PATHS.iter().find(|path| has_absolute(line, path)).copied();
    let host = |line: &str| HOSTS.iter().find(|host| line.contains(*host)).copied();
    let found = file.numbered_lines().filter_map(|(number, line)| {
        let what = path(line)
            .map(|path| format!("names a path under {path}, which other machines do not have"))
            .or_else(|| {
                host(line).map(|host| format!("names the package host {host}; leave it to the user's configuration"))
            })?;
        Some(Violation::new(file.place(number), what))
    });
    found.collect()
}

/// Says whether the path stands at the beginning of a word, and not within a longer path or address.
fn has_absolute(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        !before.is_some_and(|each| each.is_alphanumeric() || "/._-}>)~".contains(each))
    })
}

#[cfg(test)]
mod tests {
    use super::{super::file, *};

    #[test]
    fn path_of_one_machine_is_found() {
        for path in PATHS {
            assert_eq!(check(&file("a.md", &format!("see `{path}somewhere`"))).len(), 1, "{path}");
        }
    }

    #[test]
    fn package_host_is_found() {
        for host in HOSTS {
            assert_eq!(check(&file("a.py", &format!("get('https://files.{host}/x')"))).len(), 1, "{host}");
        }
    }

    #[test]
    fn same_words_within_a_relative_path_pass() {
        let [_, _, third] = PATHS;

        assert_eq!(check(&file("a.rs", &format!("//! cluster{third}data and {{directory}}{third}socket"))), []);
    }
}
