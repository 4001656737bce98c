//! The cost of the framing guard: a GET with 10 fields. Beside it: `httparse`, which parses the
//! same head again for hyper.

use std::{hint::black_box, mem::MaybeUninit};

use criterion::{Criterion, Throughput};
use gateway_runtime::http::{FramingGuard, HttpLimits};

const HEAD: &[u8] = b"GET /foo/bar/baz?page=2&size=50 HTTP/1.1\r\n\
    Host: gateway.example\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
    Accept-Language: en-US,en;q=0.5\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Authorization: Bearer eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJl\r\n\
    Referer: https://gateway.example/foo\r\n\
    Cookie: session=0123456789abcdef0123456789abcdef\r\n\
    X-Request-Id: 01890a5d-ac96-774b-bcce-b302099a8057\r\n\
    Connection: keep-alive\r\n\r\n";

/// Measures one head.
pub(crate) fn measure(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("framing");
    group.throughput(Throughput::Bytes(HEAD.len() as u64));
    group.bench_function("head, httparse alone", |bencher| {
        bencher.iter(|| {
            let mut fields = [const { MaybeUninit::uninit() }; 100];
            let mut request = httparse::Request::new(&mut []);
            request.parse_with_uninit_headers(black_box(HEAD), &mut fields).is_ok()
        });
    });
    group.bench_function("head, guarded", |bencher| {
        let mut guard = FramingGuard::new(&HttpLimits::default(), 0);
        bencher.iter(|| guard.admit(black_box(HEAD)));
    });
    group.finish();
}
