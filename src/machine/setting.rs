//! Settings of the process: what is legal, and where a bad one came from.

/// A setting with an illegal value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingError {
    /// The argument or environment variable.
    pub name: &'static str,
    /// What came.
    pub value: String,
    /// What is allowed.
    pub legal: String,
}

impl std::fmt::Display for SettingError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` must be {}, got {}", self.name, self.legal, self.value)
    }
}

impl std::error::Error for SettingError {}

/// The environment variable `name`, quoted as an error shows it, beside its text. `None` where it is not set, or empty:
/// scripts and CI matrices often leave a variable empty to mean unset.
pub(crate) fn variable(name: &str) -> Option<(String, String)> {
    // Text that is not Unicode is no legal value either, and is shown as well as it can be.
    let text = std::env::var_os(name).filter(|text| !text.is_empty())?.to_string_lossy().into_owned();
    Some((format!("{text:?}"), text))
}
