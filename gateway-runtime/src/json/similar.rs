//! Suggestions for mistyped names: the similar name that is known.

/// Returns the known name that is nearest to `name` by Damerau-Levenshtein distance, if it is near:
/// at most one slip for every three letters, and three in all.
pub(crate) fn similar<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let slips = ((name.len() + 1) / 3).min(3);
    let of_like_length =
        known.into_iter().filter(|known| known.len().abs_diff(name.len()) <= slips);
    let distance = |known: &'k str| (strsim::damerau_levenshtein(name, known), known);
    let (distance, nearest) = of_like_length.map(distance).min()?;
    (distance <= slips).then_some(nearest)
}

/// Returns the `help:` line that ends a message about an unknown name; empty if no known name is
/// near. `kind` is a noun: `service`.
pub(crate) fn did_you_mean<'k>(
    kind: &str,
    name: &str,
    known: impl IntoIterator<Item = &'k str>,
) -> String {
    similar(name, known).map_or(String::new(), |similar| {
        format!("\nhelp: a {kind} with a similar name exists: `{similar}`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similar_names_are_near_ones_only() {
        let known = ["currency", "email", "info"];
        for (name, nearest) in [
            ("curency", Some("currency")),
            ("inof", Some("info")),
            ("emial", Some("email")),
            ("weather", None),
            ("e", None),
            ("", None),
        ] {
            assert_eq!(similar(name, known), nearest, "{name}");
        }
        let help = "\nhelp: a service with a similar name exists: `email`";
        assert_eq!(did_you_mean("service", "mail", known), help);
        assert_eq!(did_you_mean("service", "weather", known), "");
    }
}
