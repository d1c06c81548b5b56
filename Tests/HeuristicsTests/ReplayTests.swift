import BytesE
import FuzzCorpus
import Heuristics
import Testing

/// The seeds of the fuzzer and its findings, whole and cut, through the code that it runs.
@Suite("Replay") struct ReplayTests {
    private static var seeds: [(name: String, bytes: [UInt8])] {
        let source = "Attribute VB_Name = \"M\"\r\nSub AutoOpen()\r\nShell \"x\"\r\nEnd Sub\r\n"
        let document = compoundFile([("_VBA_PROJECT", []), ("dir", []), ("M", [0, 0, 0] + storedMacro(source))])
        return [
            ("document", document), ("document-cut", Array(document.prefix(1_700))),
            ("macro-stored", storedMacro(source)),
            // Two literals, then copies of what lies one and two bytes back.
            ("macro-copies", [1, 0x06, 0xb0, 0x0c, 0x61, 0x62, 0x05, 0x00, 0x02, 0x10]),
            ("program", portableExecutable()),
            ("shortcut", [0x4c, 0, 0, 0, 1, 0x14, 2, 0, 0, 0, 0, 0] + [UInt8](repeating: 0, count: 70)),
            ("name-turned", Array("invoice\u{202e}fdp.exe".utf8)), ("name-padded", Array("a.pdf            .exe".utf8)),
            ("name-dots", Array("a.doc.js...".utf8)), ("name-path", Array("C:\\x\\y/z.scr:stream".utf8)),
            ("page-hta", Array("<html><HTA:APPLICATION id=x>".utf8)), ("script", Array("#!/bin/sh\n".utf8)),
        ]
    }

    /// `ESETS_WRITE_SEEDS=1` writes the seeds anew.
    @Test("every file of the corpus and its beginnings", arguments: ["heuristics", "reached/heuristics"])
    func corpus(_ corpus: String) throws {
        if corpus == "heuristics" { try FuzzCorpus.write(Self.seeds, to: corpus) }
        try FuzzCorpus.replay(corpus, every: 211, atLeast: 12) { fuzzHeuristics(ByteView($0)) }
    }
}
