import Bytes
import Testing

@testable import Mirror

/// Calls a body with the bytes of a text.
func with<T>(_ text: String, _ body: (ByteView) -> T) -> T {
    Array(text.utf8).withUnsafeBufferPointer { body(ByteView($0)) }
}

@Suite struct RequestTargetTests {
    private func path(_ target: String) -> String? {
        with(target) { RequestTarget.path($0) }.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func namesOfFiles() {
        for (target, wanted) in [
            ("/update.ver", "update.ver"), ("/a/b.json", "a/b.json"), ("//a///b", "a/b"), ("/a%20b", "a b"),
            ("/a%2Eb", "a.b"), ("/a?x=/../y", "a"), ("/a#b", "a"), ("http://host:2221/x", "x"),
            ("HTTPS://host/x/y?z", "x/y"), ("/%C3%A4", "ä"), ("/a:b", "a:b"), ("/a..b", "a..b"),
        ] {
            #expect(path(target) == wanted, "\(target)")
        }
    }

    @Test func rootAndItsAliasMeanTheSameFile() {
        for target in [
            "/", "/eset_upd/", "/eset_upd", "/eset_upd/update.ver", "http://host", "http://host/", "/?x", "//",
        ] {
            #expect(path(target) == "update.ver", "\(target)")
        }
        #expect(path("/eset_upd/v4/") == "v4/update.ver")
        #expect(path("/eset_upd/em002_64_l0.nup") == "em002_64_l0.nup")
        // Only at the beginning.
        #expect(path("/a/eset_upd/b") == "a/eset_upd/b")
        #expect(path("/eset_upd/eset_upd/b") == "eset_upd/b")
    }

    @Test(arguments: [
        "", "a", "*", "/..", "/../etc/passwd", "/a/../b", "/a/./b", "/.", "/.hidden", "/a/.part", "/%2e%2e/x",
        "/%2E./x",
        "/a%2fb", "/a%2Fb", "/a%00", "/a%0a", "/a%", "/a%2", "/a%zz", "/a%7f", "/a\u{1}", "ftp://host/x", "http:/x",
        "/eset_upd/../x", "/" + String(repeating: "a", count: 256), "/" + String(repeating: "a/", count: 2_000),
    ])
    func whatCannotBeServedNamesNothing(_ target: String) {
        #expect(path(target) == nil)
    }
}

@Suite struct ByteRangeTests {
    private func range(_ field: String, _ size: UInt64) -> ByteRange { with(field) { ByteRange($0, size: size) } }

    @Test func parts() {
        #expect(range("bytes=0-0", 10) == .part(first: 0, count: 1))
        #expect(range("bytes=2-", 10) == .part(first: 2, count: 8))
        #expect(range("Bytes= 2-99 ", 10) == .part(first: 2, count: 8))
        #expect(range("bytes=-3", 10) == .part(first: 7, count: 3))
        #expect(range("bytes=-99", 10) == .part(first: 0, count: 10))
        #expect(range("bytes=9-9", 10) == .part(first: 9, count: 1))
        #expect(range("bytes=1-99999999999999999999999", 10) == .part(first: 1, count: 9))
        #expect(range("bytes=0-18446744073709551615", .max) == .part(first: 0, count: .max))
    }

    @Test func nothingOfItExists() {
        for field in ["bytes=10-", "bytes=10-11", "bytes=-0", "bytes=99999999999999999999999-"] {
            #expect(range(field, 10) == .unsatisfiable, "\(field)")
        }
        #expect(range("bytes=0-", 0) == .unsatisfiable)
        #expect(range("bytes=-1", 0) == .unsatisfiable)
    }

    @Test(arguments: [
        "", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-2", "bytes=0-1,3-4", "bytes=0-1,", "items=0-1",
        "bytes=0 -1", "bytes=--1", "bytes=+1-2", "bytes=0x1-2", "0-1",
    ])
    func whatIsMalformedCountsForNothing(_ field: String) {
        #expect(range(field, 10) == .whole)
    }
}

@Suite struct HTTPDateTests {
    @Test func threeForms() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
            "Sun Nov 06 08:49:37 1994",
        ] {
            #expect(with(text) { HTTPDate.seconds($0, now: 1_700_000_000) } == 784_111_777, "\(text)")
        }
        #expect(HTTPDate.text(784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(HTTPDate.text(951_782_400) == "Tue, 29 Feb 2000 00:00:00 GMT")
        #expect(HTTPDate.text(.max) == "Fri, 31 Dec 9999 23:59:59 GMT")
        #expect(HTTPDate.text(-5) == "Thu, 01 Jan 1970 00:00:00 GMT")
    }

    @Test func everyDaySurvives() {
        for day in stride(from: Int64(0), to: 200_000, by: 7) {
            let moment = day * 86_400 + 45_296
            #expect(with(HTTPDate.text(moment)) { HTTPDate.seconds($0, now: 0) } == moment)
        }
    }

    @Test(arguments: [
        "", "yesterday", "Sun, 06 Nov 1994 08:49:37", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49 GMT",
        "Sun, 06 Nov 1969 08:49:37 GMT", "Sun, 06 Nov 19941 08:49:37 GMT", "784111777",
    ])
    func whatIsNoDateIsNone(_ text: String) {
        #expect(with(text) { HTTPDate.seconds($0, now: 0) } == nil)
    }

    @Test func datesOfMetadata() {
        #expect(with("2026-11-21T16:00:00Z") { HTTPDate.seconds(iso: $0) } == 1_795_276_800)
        for text in ["2026-11-21", "2026-13-21T16:00:00Z", "2026-02-30T16:00:00Z", "2026-11-21T16:00:00+"] {
            #expect(with(text) { HTTPDate.seconds(iso: $0) } == nil, "\(text)")
        }
    }
}

@Suite struct ContentCodingTests {
    @Test func gzipIsTakenWhenItIsNamed() {
        for field in ["gzip", "GZIP", "deflate, gzip;q=0.5", "x-gzip", "*", "br, *;q=0.1", "gzip;q=1.0,identity"] {
            #expect(with(field) { ContentCoding.acceptsGzip($0) }, "\(field)")
        }
        for field in ["", "br", "gzip;q=0", "gzip; q=0.000", "*, gzip;q=0", "*;q=0", "gzipped", "identity"] {
            #expect(!with(field) { ContentCoding.acceptsGzip($0) }, "\(field)")
        }
    }

    @Test func onlyWhatBecomesShorter() {
        let text = [UInt8](repeating: 0x41, count: 10_000)
        #expect(ContentCoding.gzip(text)?.prefix(2) == [0x1F, 0x8B])
        var noise: [UInt8] = []
        var state: UInt64 = 1
        for _ in 0..<10_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            noise.append(UInt8(truncatingIfNeeded: state >> 33))
        }
        #expect(ContentCoding.gzip(noise) == nil)
        #expect(ContentCoding.gzip([]) == nil)
    }
}

@Suite struct BasicCredentialsTests {
    @Test func encoding() {
        // RFC 4648 §10, RFC 7617 §2
        for (text, wanted) in [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
            ("Aladdin:open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        ] {
            #expect(BasicCredentials.encode(text) == Array(wanted.utf8))
        }
    }

    @Test func onlyTheRightOnesMatch() {
        let expected = BasicCredentials.encode("user:secret")
        let good = "Basic " + String(decoding: expected, as: UTF8.self)
        #expect(with(good) { BasicCredentials.match($0, expected) })
        #expect(with(good.replacing("Basic", with: "bASIC  ")) { BasicCredentials.match($0, expected) })
        for bad in ["", "Basic", "Basic ", "Bearer x", good + "x", String(good.dropLast()), "Basic dXNlcjpzZWNyZXU="] {
            #expect(!with(bad) { BasicCredentials.match($0, expected) }, "\(bad)")
        }
    }
}

@Suite struct FileKindTests {
    @Test func namesThatTellTheContentMayBeKept() {
        let digest = String(repeating: "0a", count: 32)
        for name in [
            "metadata/12.snapshot.json", "1.root.json", "targets/\(digest).em002_64.dat",
            "deltas/\(digest)-\(digest).zst",
        ] {
            #expect(FileKind(path: Array(name.utf8)).isImmutable, "\(name)")
        }
        for name in ["timestamp.json", "update.ver", "12.dat", "0a0a.json", "\(digest)", "root.json", ".json"] {
            #expect(!FileKind(path: Array(name.utf8)).isImmutable, "\(name)")
        }
        #expect(FileKind(path: Array("a/b.json".utf8)).isCompressible)
        #expect(!FileKind(path: Array("a.zst".utf8)).isCompressible)
    }
}
