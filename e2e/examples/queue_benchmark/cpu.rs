//! CPU time from `/proc`, which only Linux has.

use std::{fs, time::Duration};

use anyhow::Context;

/// Ticks in a second: `USER_HZ`, 100 on every architecture that we build for.
const TICKS_PER_SECOND: f64 = 100.0;

/// The fields of `/proc/PID/stat` that matter, in ticks.
struct Times {
    parent: u32,
    own: u64,
    reaped_children: u64,
}

/// CPU time that a process has used.
pub fn of_process(process: u32) -> anyhow::Result<Duration> {
    Ok(ticks(times(process)?.own))
}

/// CPU time that a process and its children have used, those that have ended included.
pub fn of_family(process: u32) -> anyhow::Result<Duration> {
    let head = times(process)?;
    let mut sum = head.own + head.reaped_children;
    for entry in fs::read_dir("/proc")? {
        let Some(child) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // A process may end between the listing and the reading: then its parent has its time.
        if let Ok(times) = times(child)
            && times.parent == process
        {
            sum += times.own;
        }
    }
    Ok(ticks(sum))
}

fn ticks(count: u64) -> Duration {
    Duration::from_secs_f64(count as f64 / TICKS_PER_SECOND)
}

fn times(process: u32) -> anyhow::Result<Times> {
    let path = format!("/proc/{process}/stat");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}: CPU time needs Linux"))?;
    // The name in parentheses may hold anything; the fields after it begin with the third of proc(5).
    let (_, rest) = text.rsplit_once(") ").with_context(|| format!("{path} is not what proc(5) describes"))?;
    let fields: Vec<&str> = rest.split(' ').collect();
    let field = |number: usize| -> anyhow::Result<u64> {
        let field = fields.get(number - 3).with_context(|| format!("{path} has no field {number}"))?;
        field.trim().parse().with_context(|| format!("{path}: field {number} is not a number"))
    };
    Ok(Times {
        parent: u32::try_from(field(4)?)?,
        own: field(14)? + field(15)?,
        reaped_children: field(16)? + field(17)?,
    })
}
