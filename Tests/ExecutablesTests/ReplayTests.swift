import BytesE
import Executables
import FuzzCorpus
import Testing

/// The seeds of the fuzzer and its findings, whole and cut, through the code that it runs.
@Suite("Replay") struct ReplayTests {
    private static var seeds: [(name: String, image: Image)] {
        var universal = Image(0x400)
        universal.isBigEndian = true
        for (value, at) in [(0xcafe_babe, 0), (1, 4), (7, 8), (0x100, 16), (0x300, 20)] as [(UInt64, Int)] {
            universal.put(value, at)
        }
        universal.bytes.replaceSubrange(0x100..<0x400, with: ELFAndMachOTests.machO(wide: false).bytes)
        var icon = Image(0)
        icon.bytes = IconTests.bitmap(16, seed: 1)
        return [
            ("pe32", .pe(wide: false)), ("pe32-plus", .pe(wide: true)),
            ("macho32", ELFAndMachOTests.machO(wide: false)),
            ("macho64", ELFAndMachOTests.machO(wide: true)), ("universal", universal),
            ("elf32", ELFAndMachOTests.elf(wide: false, big: false)),
            ("elf64-big", ELFAndMachOTests.elf(wide: true, big: true)), ("icon", icon),
        ]
    }

    /// `ESETS_WRITE_SEEDS=1` writes the seeds anew.
    @Test("every file of the corpus and its beginnings", arguments: ["executables", "reached/executables"])
    func corpus(_ corpus: String) throws {
        if corpus == "executables" { try FuzzCorpus.write(Self.seeds.map { ($0.name, $0.image.bytes) }, to: corpus) }
        try FuzzCorpus.replay(corpus, every: 211, atLeast: 7) { fuzzExecutables(ByteView($0)) }
    }
}
