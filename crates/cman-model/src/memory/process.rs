//! What the operating system lets this process take. Read from `/proc` and `/sys`, so on Linux alone.

use std::{fs, path::Path};

use super::MemoryLeft;

/// What the process may still take: the least of the machine's free memory, the rest of its control group's limit and the
/// rest of its address space.
pub(super) fn left() -> MemoryLeft {
    let bounds = [
        (machine(), "free memory of the machine"),
        (control_group(), "limit of the control group"),
        (address_space(), "limit of the address space, `ulimit -v`"),
    ];
    let known = bounds.into_iter().filter_map(|(bytes, bound)| Some((bytes?, bound)));
    match known.min_by_key(|&(bytes, _)| bytes) {
        Some((bytes, bound)) => MemoryLeft { bytes: Some(bytes), bound },
        None => MemoryLeft { bytes: None, bound: "no limit" },
    }
}

/// Bytes of memory that the process holds.
pub(super) fn resident() -> Option<u64> {
    kilobytes("/proc/self/status", "VmRSS:")
}

fn machine() -> Option<u64> {
    kilobytes("/proc/meminfo", "MemAvailable:")
}

fn address_space() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    let limit: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(limit.saturating_sub(kilobytes("/proc/self/status", "VmSize:")?))
}

/// A number of kilobytes in a file of `/proc`, in bytes.
fn kilobytes(path: &str, key: &str) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

/// The rest of the limit of the control group of this process, or of the nearest group above that has one.
fn control_group() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    // `0::/path` in version 2, `4:memory:/path` in version 1.
    let rests = groups.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?);
        if controllers.is_empty() {
            rest_of_groups("/sys/fs/cgroup", path, ["memory.max", "memory.current", "inactive_file"])
        } else if controllers.split(',').any(|name| name == "memory") {
            let files = ["memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"];
            rest_of_groups("/sys/fs/cgroup/memory", path, files)
        } else {
            None
        }
    });
    rests.min()
}

/// The least rest of a group and those above it. In a container the path may not exist; the root does.
fn rest_of_groups(root: &str, path: &str, files: [&str; 3]) -> Option<u64> {
    let groups = Path::new(path.trim_start_matches('/')).ancestors();
    groups.filter_map(|group| rest_of_group(&Path::new(root).join(group), files)).min()
}

/// The rest of a group's limit. Its use contains files that the system can drop; these do not count.
fn rest_of_group(group: &Path, [limit, usage, droppable]: [&str; 3]) -> Option<u64> {
    let number = |file: &str| fs::read_to_string(group.join(file)).ok()?.trim().parse::<u64>().ok();
    let statistics = fs::read_to_string(group.join("memory.stat")).unwrap_or_default();
    let droppable = statistics.lines().find_map(|line| line.strip_prefix(droppable)?.trim().parse().ok());
    Some(number(limit)?.saturating_sub(number(usage)?.saturating_sub(droppable.unwrap_or(0))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_a_group_is_the_least_of_its_parents() {
        let root = tempfile::tempdir().unwrap();
        let group = root.path().join("a/b");
        fs::create_dir_all(&group).unwrap();
        let files = ["memory.max", "memory.current", "inactive_file"];
        let rest = || rest_of_groups(root.path().to_str().unwrap(), "/a/b", files);
        assert_eq!(rest(), None);
        for (folder, limit) in [(&group, "max\n"), (&root.path().join("a"), "900\n"), (&root.path().into(), "5000\n")] {
            fs::write(folder.join("memory.max"), limit).unwrap();
            fs::write(folder.join("memory.current"), "500\n").unwrap();
        }
        assert_eq!(rest(), Some(400));
        fs::write(root.path().join("a/memory.stat"), "anon 7\ninactive_file 300\nactive_file 9\n").unwrap();
        assert_eq!(rest(), Some(700));
    }
}
