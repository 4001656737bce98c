//! Generated frames, in pieces of all lengths. The library's own parser reads the output.

use amq_protocol::frame::{AMQPFrame, parse_frame};
use proptest::{collection::vec, prelude::*};

use crate::bus::amqp::guard::tests::{filtered, frame, header, long, parsed, short};

fn name() -> impl Strategy<Value = Vec<u8>> {
    "[a-zä€]{0,8}".prop_map(|name| short(name.as_bytes()))
}

/// Generates a value that the library can parse, type included.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let fixed = prop_oneof![
        Just(("V", 0)),
        Just(("t", 1)),
        Just(("b", 1)),
        Just(("B", 1)),
        Just(("s", 2)),
        Just(("U", 2)),
        Just(("u", 2)),
        Just(("I", 4)),
        Just(("i", 4)),
        Just(("f", 4)),
        Just(("D", 5)),
        Just(("l", 8)),
        Just(("L", 8)),
        Just(("d", 8)),
        Just(("T", 8)),
    ];
    let fixed = (fixed, any::<[u8; 8]>())
        .prop_map(|((kind, length), bytes)| [kind.as_bytes(), &bytes[..length]].concat());
    let bytes = (prop_oneof![Just("S"), Just("x")], vec(any::<u8>(), 0..20))
        .prop_map(|(kind, bytes)| [kind.as_bytes(), &long(&bytes)].concat());
    prop_oneof![fixed, bytes].prop_recursive(6, 40, 5, |inner| {
        let list = vec(inner.clone(), 0..5)
            .prop_map(|values| [&b"A"[..], &long(&values.concat())].concat());
        let table = vec((name(), inner), 0..5).prop_map(|fields| {
            [
                &b"F"[..],
                &long(&fields.iter().flat_map(|(n, v)| [&n[..], v].concat()).collect::<Vec<_>>()),
            ]
            .concat()
        });
        prop_oneof![list, table]
    })
}

/// Generates flags and values of properties; each value is well-formed, or arbitrary bytes.
fn properties(well_formed: bool) -> impl Strategy<Value = (u16, Vec<u8>)> {
    let table = vec((name(), value()), 0..6).prop_map(|fields| {
        long(&fields.iter().flat_map(|(n, v)| [&n[..], v].concat()).collect::<Vec<_>>())
    });
    (
        any::<u16>(),
        vec(name(), 14),
        table,
        any::<[u8; 10]>(),
        vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        any::<bool>(),
    )
        .prop_map(move |(flags, names, table, octets, changes, is_cut)| {
            let mut values = Vec::new();
            for place in (0..14).filter(|place| flags & (1 << (15 - place)) != 0) {
                match place {
                    2 => values.extend_from_slice(&table),
                    3 | 4 => values.push(octets[place]),
                    9 => values.extend_from_slice(&octets[..8]),
                    _ => values.extend_from_slice(&names[place]),
                }
            }
            if !well_formed && !values.is_empty() {
                for (place, byte) in changes {
                    let place = place.index(values.len());
                    values[place] = byte;
                }
                values.truncate(values.len() - usize::from(is_cut));
            }
            (flags, values)
        })
}

proptest! {
    #[test]
    fn output_does_not_depend_on_the_length_of_pieces(
        frames in vec(
            (0_u8..9, prop_oneof![0_u32..40, any::<u32>()], vec(any::<u8>(), 0..40)),
            0..10,
        ),
        piece in 1_usize..50,
    ) {
        let bytes = frames.iter().flat_map(|(kind, size, payload)| {
            [&[*kind, 0, 7], &size.to_be_bytes()[..], payload].concat()
        });
        let bytes: Vec<u8> = bytes.collect();
        prop_assert_eq!(filtered(&bytes, piece).0, filtered(&bytes, usize::MAX).0);
    }

    #[test]
    fn valid_header_passes_unchanged((flags, values) in properties(true), piece in 1_usize..50) {
        let header = header(flags, &values);
        parsed(&header);
        prop_assert_eq!(filtered(&header, usize::MAX), (header.clone(), 0));
        prop_assert_eq!(filtered(&header, piece).0, header);
    }

    #[test]
    fn output_can_be_parsed(
        all in vec(prop_oneof![properties(false), (any::<u16>(), vec(any::<u8>(), 0..60))], 1..4),
        piece in 1_usize..200,
    ) {
        let frames = all
            .iter()
            .flat_map(|(flags, values)| [header(*flags, values), frame(3, b"body")].concat());
        let frames: Vec<u8> = frames.collect();
        let (whole, _) = filtered(&frames, usize::MAX);
        prop_assert_eq!(&filtered(&frames, piece).0, &whole);
        let mut rest = &whole[..];
        for (flags, values) in all {
            let before = header(flags, &values);
            let (after, frame) = parse_frame(rest).unwrap();
            // A header that the library can parse passes unchanged.
            if let Ok((_, original)) = parse_frame(&before[..]) {
                // Compared as text, since NaN is not equal to itself.
                prop_assert_eq!(format!("{frame:?}"), format!("{original:?}"));
            }
            let (after, body) = parse_frame(after).unwrap();
            prop_assert_eq!(body, AMQPFrame::Body(7, b"body".to_vec()));
            rest = after;
        }
        prop_assert!(rest.is_empty());
    }
}
