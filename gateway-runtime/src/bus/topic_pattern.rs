//! Patterns of topic exchanges (AMQP 0-9-1 §3.1.3.3): words separated by dots; `*` matches one
//! word, `#` any number.

/// Returns whether a routing key matches a pattern.
pub(super) fn matches(pattern: &str, key: &str) -> bool {
    let words = |text: &'_ str| if text.is_empty() { 0 } else { text.split('.').count() };
    let (pattern, key): (Vec<_>, Vec<_>) = (
        pattern.split('.').take(words(pattern)).collect(),
        key.split('.').take(words(key)).collect(),
    );
    // Whether the first `n` words of the key match the first words of the pattern, row by row.
    let mut before: Vec<bool> = (0..=key.len()).map(|taken| taken == 0).collect();
    for word in pattern {
        let mut after = vec![false; key.len() + 1];
        after[0] = word == "#" && before[0];
        for taken in 1..=key.len() {
            after[taken] = match word {
                "#" => before[taken] || after[taken - 1],
                "*" => before[taken - 1],
                word => before[taken - 1] && key[taken - 1] == word,
            };
        }
        before = after;
    }
    before[key.len()]
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn words_stars_and_hashes() {
        for (pattern, key, is_match) in [
            ("orders.paid", "orders.paid", true),
            ("orders.*", "orders.paid", true),
            ("orders.*", "orders", false),
            ("orders.*", "orders.paid.twice", false),
            ("orders.#", "orders", true),
            ("orders.#", "orders.paid.twice", true),
            ("#.twice", "orders.paid.twice", true),
            ("*.#.twice", "twice", false),
            ("#", "", true),
            ("*", "", false),
            ("#.#", "a", true),
            ("a..b", "a..b", true),
            ("", "", true),
        ] {
            assert_eq!(matches(pattern, key), is_match, "{pattern} {key}");
        }
    }
}
