//! Generators of JSON texts, valid and damaged.

use proptest::{collection::vec, prelude::*, sample::Index};

fn space() -> impl Strategy<Value = &'static str> {
    prop_oneof![8 => Just(""), 1 => Just(" "), 1 => Just("\n\t"), 1 => Just("\r\n    ")]
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<u64>().prop_map(|number| number.to_string()),
        any::<i8>().prop_map(|number| number.to_string()),
        any::<f64>()
            .prop_filter("finite", |number| number.is_finite())
            .prop_map(|number| format!("{number:?}")),
        any::<f64>()
            .prop_filter("finite", |number| number.is_finite())
            .prop_map(|number| format!("{number:e}")),
        "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?",
        "-?[0-9.eE+-]{1,8}",
    ]
}

fn string() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[ !#-\\[\\]-~]{0,20}",
        1 => "[é€🦀\u{7f}\u{2028}]{1,3}",
        3 => "\\\\[\"\\\\/bfnrt]",
        1 => "\\\\u[0-9a-fA-F]{4}",
        1 => "\\\\u[dD][89abAB][0-9a-f]{2}\\\\u[dD][c-fC-F][0-9a-f]{2}",
    ];
    vec(piece, 0..6).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![3 => "\"[ab]{0,2}\"", 1 => Just("\"\\u0061\"".to_owned()), 1 => string()]
}

/// Generates a JSON text, nearly always a valid one.
pub(in crate::json::document) fn json() -> impl Strategy<Value = String> {
    let word = prop_oneof![Just("null"), Just("true"), Just("false")].prop_map(str::to_owned);
    let leaf = prop_oneof![1 => word, 2 => number(), 2 => string()];
    let value = leaf.prop_recursive(5, 60, 24, |inner| {
        let item =
            (space(), inner.clone(), space()).prop_map(|(a, item, b)| format!("{a}{item}{b}"));
        let member = (space(), name(), space(), inner, space())
            .prop_map(|(a, name, b, value, c)| format!("{a}{name}{b}:{c}{value}"));
        prop_oneof![
            vec(item, 0..24).prop_map(|items| format!("[{}]", items.join(","))),
            vec(member, 0..24).prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    });
    (space(), value, space()).prop_map(|(a, value, b)| format!("{a}{value}{b}"))
}

/// Generates a JSON text with a few bytes changed, removed, inserted, or cut off.
pub(super) fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        3 => prop::sample::select(&b"\"\\{}[]:,0-9.eEu \n\x00\x1f\xff\xc3"[..]),
        1 => any::<u8>(),
    ];
    let damage = (any::<Index>(), 0..4_u8, byte);
    (json(), vec(damage, 1..4)).prop_map(|(text, damages)| {
        let mut bytes = text.into_bytes();
        for (at, kind, byte) in damages {
            let at = at.index(bytes.len() + 1);
            match (kind, bytes.get_mut(at)) {
                (0, Some(place)) => *place = byte,
                (1, Some(_)) => _ = bytes.remove(at),
                (2, Some(_)) => bytes.truncate(at),
                _ => bytes.insert(at, byte),
            }
        }
        bytes
    })
}
