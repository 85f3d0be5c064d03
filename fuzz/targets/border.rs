//! `make fuzz ONLY=border`; what is compared stands in `tests/fuzz/border.py`, which finds this extension in its process.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pyo3::prelude::*;
use std::sync::OnceLock;

static BORDER: OnceLock<Py<PyAny>> = OnceLock::new();

fn border() -> PyResult<Py<PyAny>> {
    Python::attach(|py| {
        // In the place of the extension that the package would import.
        py.import("sys")?.getattr("modules")?.set_item("varscale._core", py.import("_core")?)?;
        Ok(py.import("fuzz.border")?.getattr("border")?.unbind())
    })
}

fuzz_target!(
    init: {
        varscale::register();
        BORDER.get_or_init(|| border().expect("PYTHONPATH has tests/, python/ and .venv's packages"));
    },
    |data: &[u8]| {
        let border = BORDER.get().expect("it was made first");
        Python::attach(|py| border.call1(py, (data,)).map(|_| ()).map_err(|error| error.display(py)))
            .expect("the border does what its model does");
    }
);
