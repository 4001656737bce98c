use http::{HeaderName, HeaderValue};

use super::*;

fn check(fields: &[(HeaderName, &'static str)]) -> Result<bool, Error> {
    check_media(
        &fields
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
            .collect(),
    )
}

#[test]
fn json_media_types_are_accepted() {
    for json in [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/json;charset=\"UTF-8\"",
        "application/json; version=1",
        "application/merge-patch+json",
        "application/vnd.a.b+JSON; q=1",
    ] {
        assert!(check(&[(header::CONTENT_TYPE, json)]).unwrap(), "{json}");
    }
}

#[test]
fn other_media_types_are_refused() {
    for other in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "application/json; charset=utf-16",
        "+json",
        "é+json",
        "",
        "application/json, text/plain",
    ] {
        let other = HeaderValue::from_str(other).unwrap();
        let refused = check_media(&HeaderMap::from_iter([(header::CONTENT_TYPE, other.clone())]));
        assert_eq!(refused.unwrap_err().code(), Code::UNSUPPORTED_MEDIA_TYPE, "{other:?}");
    }
}

#[test]
fn compressed_bodies_are_refused() {
    assert!(!check(&[(header::CONTENT_ENCODING, "Identity")]).unwrap());
    let gzip =
        check(&[(header::CONTENT_ENCODING, "gzip"), (header::CONTENT_TYPE, "application/json")]);
    assert_eq!(gzip.unwrap_err().code(), Code::UNSUPPORTED_MEDIA_TYPE);
}

proptest::proptest! {
    #[test]
    fn declared_media_type_is_json_or_refused(
        media in "[ -~]{0,40}",
        suffix in "[a-z.]{1,8}",
    ) {
        let declared = |media: &str| check_media(&HeaderMap::from_iter([(
            header::CONTENT_TYPE,
            HeaderValue::from_str(media).unwrap(),
        )]));
        let name = media.split(';').next().unwrap().trim().to_ascii_lowercase();
        if declared(&media).is_ok() {
            let is_json = name == "application/json" || name.ends_with("+json");
            proptest::prop_assert!(is_json, "{}", media);
        }
        let vendor = format!("application/{}+json", suffix);
        proptest::prop_assert!(declared(&vendor).is_ok());
    }
}
