use orchestrator_merge::*;
use std::collections::BTreeMap;
use std::path::Path;
fn squash(t: &[u8]) -> Vec<u8> {
    t.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect()
}
fn sorted(t: &[u8]) -> Vec<Vec<u8>> {
    let mut l: Vec<Vec<u8>> =
        t.split(|b| *b == b'\n').map(|l| l.trim_ascii().to_vec()).filter(|l| !l.is_empty()).collect();
    l.sort();
    l
}
fn class(a: &[u8], e: &[u8]) -> char {
    if a == e {
        'E'
    } else if squash(a) == squash(e) {
        'W'
    } else if sorted(a) == sorted(e) {
        'V'
    } else {
        'D'
    }
}
fn main() {
    let mut args = std::env::args().skip(1);
    let roots: Vec<String> = args.next().unwrap().split(',').map(String::from).collect();
    let show = args.next().unwrap_or_default();
    let mut whys: BTreeMap<String, usize> = BTreeMap::new();
    let mut rules: BTreeMap<String, BTreeMap<char, usize>> = BTreeMap::new();
    let mut sets: BTreeMap<String, BTreeMap<char, usize>> = BTreeMap::new();
    let mut langs: BTreeMap<String, BTreeMap<char, usize>> = BTreeMap::new();
    for root in roots {
        let mut all: BTreeMap<char, usize> = BTreeMap::new();
        let mut dirs: Vec<_> = std::fs::read_dir(&root).unwrap().flatten().map(|e| e.path()).collect();
        dirs.sort();
        for dir in dirs {
            let read = |n: &str| std::fs::read(dir.join(n)).ok();
            let (Some(o), Some(t), Some(e), Some(p)) = (read("ours"), read("theirs"), read("expected"), read("path"))
            else {
                continue;
            };
            let b = read("base");
            let p = String::from_utf8(p).unwrap();
            let p = p.trim();
            let start = std::time::Instant::now();
            let out = merge(b.as_deref(), Some(&o), Some(&t), p, &Options::default());
            let ms = start.elapsed().as_millis();
            let (c, rs, text) = match &out {
                Outcome::Clean { content, regions } => (
                    class(content.as_deref().unwrap_or_default(), &e),
                    regions.iter().map(|r| format!("{:?}", r.rule)).collect::<Vec<_>>(),
                    content.clone(),
                ),
                Outcome::Candidates { candidates, .. } => {
                    let any = candidates.iter().position(|c| class(&c.content, &e) != 'D');
                    (
                        match any {
                            Some(0) => 'c',
                            Some(_) => 'a',
                            None => 'n',
                        },
                        candidates[0].regions.iter().map(|r| format!("{:?}", r.rule)).collect(),
                        Some(candidates[0].content.clone()),
                    )
                }
                Outcome::Conflict(c) => {
                    *whys
                        .entry(format!(
                            "{:?} {:?}",
                            std::mem::discriminant(&c.kind) == std::mem::discriminant(&Kind::Content),
                            c.why
                        ))
                        .or_default() += 1;
                    ('X', vec![format!("{:?}", c.why)], None)
                }
                _ => ('?', vec![], None),
            };
            let one = e == o || e == t;
            let ext = Path::new(p).extension().map(|e| e.to_string_lossy().into_owned()).unwrap_or_default();
            *all.entry(c).or_default() += 1;
            *langs.entry(ext).or_default().entry(c).or_default() += 1;
            let mut rs2 = rs.clone();
            rs2.sort();
            rs2.dedup();
            if c != 'X' {
                for r in &rs2 {
                    *rules.entry(r.clone()).or_default().entry(c).or_default() += 1;
                }
                *sets.entry(rs2.join("+")).or_default().entry(c).or_default() += 1;
            }
            if show.contains(c) {
                println!("{c} one={one} {ms}ms {} {p} {rs2:?}", dir.display());
                if let Some(x) = text {
                    std::fs::write(dir.join("result"), x).unwrap();
                }
            }
        }
        println!("{root}: {all:?}");
    }
    for (k, v) in [("rule", rules), ("set", sets), ("lang", langs)] {
        for (r, m) in v {
            println!("{k} {r}: {m:?}");
        }
    }
    for (w, n) in whys {
        println!("why {w}: {n}");
    }
}
