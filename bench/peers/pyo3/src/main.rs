//! PyO3 with pyo3-async-runtimes, the original of which pyawait is the JavaScript form, in the cases of `measure.mjs`:
//! `pyo3-peer CALLED.py SECONDS`. The caller is Rust here.
use pyo3::prelude::*;
use pyo3_async_runtimes::tokio::into_future;
use std::future::Future;
use std::time::{Duration, Instant};

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

/// Samples of about a millisecond: microseconds a call.
fn time(seconds: f64, mut call: impl FnMut() -> PyResult<()>) -> PyResult<f64> {
    let mut calls = 1;
    let mut sample = |calls: u32| -> PyResult<f64> {
        let begin = Instant::now();
        for _ in 0..calls {
            call()?;
        }
        Ok(begin.elapsed().as_secs_f64() * 1e6)
    };
    while sample(calls)? < 1000.0 && calls < 1_000_000 {
        calls *= 2;
    }
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let mut samples = vec![sample(calls)? / calls as f64];
    while Instant::now() < end {
        samples.push(sample(calls)? / calls as f64);
    }
    Ok(median(samples))
}

async fn time_async<F: Future<Output = PyResult<()>>>(seconds: f64, mut call: impl FnMut() -> F) -> PyResult<f64> {
    for _ in 0..20 {
        call().await?;
    }
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let mut samples = Vec::new();
    loop {
        let begin = Instant::now();
        call().await?;
        samples.push(begin.elapsed().as_secs_f64() * 1e6);
        if Instant::now() >= end {
            return Ok(median(samples));
        }
    }
}

/// Awaits `count` coroutines at once.
async fn in_flight(identity: &Py<PyAny>, count: u64) -> PyResult<()> {
    let all = Python::attach(|py| {
        let start = |n: u64| into_future(identity.bind(py).call1((n,))?);
        (0..count).map(start).collect::<PyResult<Vec<_>>>()
    })?;
    let results = futures::future::try_join_all(all).await?;
    Python::attach(|py| {
        for (n, result) in results.iter().enumerate() {
            assert_eq!(result.extract::<u64>(py)?, n as u64);
        }
        Ok(())
    })
}

#[pyo3_async_runtimes::tokio::main]
async fn main() -> PyResult<()> {
    let path = std::env::args().nth(1).expect("CALLED.py");
    let seconds: f64 = std::env::args().nth(2).expect("SECONDS").parse().unwrap();
    let text = std::ffi::CString::new(std::fs::read_to_string(path)?).unwrap();
    let module: Py<PyModule> =
        Python::attach(|py| PyModule::from_code(py, &text, c"called.py", c"called").map(Bound::unbind))?;
    let (identity, noop, add, size) = Python::attach(|py| {
        let get = |name: &str| module.getattr(py, name);
        PyResult::Ok((get("identity")?, get("noop")?, get("add")?, get("size")?))
    })?;
    let version = Python::attach(|py| py.version().split(' ').next().unwrap_or_default().to_string());

    let single = time_async(seconds, || in_flight(&identity, 1)).await?;
    let many = time_async(seconds, || in_flight(&identity, 1000)).await? / 1000.0;
    let list: Vec<i64> = (0..10_000).collect();
    // As for the others: taking the GIL is part of a call.
    let noop = time(seconds, || Python::attach(|py| noop.call0(py).map(drop)))?;
    let add = time(seconds, || {
        Python::attach(|py| {
            assert_eq!(add.call1(py, (1, 2))?.extract::<i64>(py)?, 3);
            Ok(())
        })
    })?;
    let list_in = time(seconds, || {
        Python::attach(|py| {
            assert_eq!(size.call1(py, (&list,))?.extract::<usize>(py)?, list.len());
            Ok(())
        })
    })?;
    let kept = Python::attach(|py| list.clone().into_pyobject(py).map(Bound::unbind))?;
    let list_out = time(seconds, || {
        Python::attach(|py| {
            assert_eq!(kept.extract::<Vec<i64>>(py)?.len(), list.len());
            Ok(())
        })
    })?;
    let figures = [
        ("coroutine, one at a time", single),
        ("coroutine, 1,000 in flight", many),
        ("`noop()`", noop),
        ("`add(1, 2)`, to a number", add),
        ("list of 10,000 ints, in", list_in),
        ("list of 10,000 ints, out", list_out),
    ];
    let figures: Vec<String> = figures.iter().map(|(name, time)| format!("\"{name}\":{time}")).collect();
    println!("{{\"python\":\"{version}\",\"figures\":{{{}}}}}", figures.join(","));
    Ok(())
}
