import CCrypto
import CElf
import CModuleABI
import DataModule
import Glibc
import Platform
import Testing
import Verifier

import struct Bytes.ByteView

/// Small module files whose names say what they show: the seeds of the fuzzer of the loader.
enum ModuleSeeds {
    /// Names that begin with "accepted" load; what begins with "refused" must not.
    static func all() throws -> [(name: String, bytes: [UInt8])] {
        let data = try module()
        return [
            ("accepted-data", data),
            ("accepted-code-signed", try code(data)),
            ("refused-code-changed", changed(try code(data), at: data.count - 1) { $0 ^ 1 }),
            ("refused-segment-unreadable", edited(data, PT_LOAD, field: 4, UInt32(0))),
            ("refused-segment-alignment-0", edited(data, PT_LOAD, field: 48, UInt64(0))),
            ("refused-segment-alignment-odd", edited(data, PT_LOAD, field: 48, UInt64(0x1000_0000_3000))),
            ("refused-two-pieces-falling", twoPieces(data)),
            ("refused-no-stack-header", edited(data, PT_GNU_STACK, field: 0, UInt32(0))),
            ("refused-header-in-memory-elsewhere", edited(data, PT_GNU_STACK, field: 0, UInt32(PT_PHDR))),
            ("refused-notes-elsewhere", edited(data, PT_NOTE, field: 16, UInt64(0x4000_0000))),
            ("refused-notes-of-processor", edited(data, PT_NOTE, field: 48, UInt64(8))),
            ("refused-many-headers", manyHeaders(data)),
            ("refused-dynamic-twice", dynamic(data, DT_SYMENT, becomes: DT_SYMTAB, value: 64)),
            ("refused-name-outside", dynamic(data, DT_SYMENT, becomes: DT_SONAME, value: 1 << 40)),
            ("refused-unique-symbol", try symbol(data) { $0 & 0x0f | 10 << 4 }),
            ("refused-symbol-twice", try twoSymbols(data)),
        ]
    }

    /// A data module as the compiler writes it.
    static func module() throws -> [UInt8] {
        let file = try Descriptor.memory(name: "module")
        let writer = try DataModuleWriter(
            file: file, manifest: DataManifest(id: "em002.test", file: "em002", version: "7", description: "for tests"))
        try writer.append(Array("0123456789abcdef".utf8))
        _ = try writer.finish()
        var bytes = [UInt8](repeating: 0, count: Int(try file.size()))
        _ = try bytes.withUnsafeMutableBytes { try file.read(at: 0, into: $0) }
        return bytes
    }

    /// The same as a signed code module; never loaded, only verified.
    private static func code(_ data: [UInt8]) throws -> [UInt8] {
        var bytes = dynamic(data, DT_SYMENT, becomes: DT_FLAGS_1, value: UInt64(DF_1_NOW))
        let kind = try #require(bytes.firstRange(of: Array("kind=data".utf8)))
        bytes.replaceSubrange(kind, with: Array("kind=code".utf8))
        let note = try bytes.withUnsafeBufferPointer { file in
            let view = ByteView(file)
            let offset = try Notes(Image(view)).signatureOffset
            let seed = [UInt8](repeating: 1, count: 32)
            return (offset, try #require(Signature.sign(view, signatureOffset: offset, seed: seed)))
        }
        bytes.replaceSubrange(note.0..<note.0 + note.1.count, with: note.1)
        return bytes
    }

    // MARK: Changes

    private static func load<T: FixedWidthInteger>(_ bytes: [UInt8], _ offset: Int, _: T.Type) -> T {
        bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: T.self) }
    }

    private static func stored<T: FixedWidthInteger>(_ bytes: [UInt8], _ offset: Int, _ value: T) -> [UInt8] {
        var bytes = bytes
        bytes.withUnsafeMutableBytes { $0.storeBytes(of: value, toByteOffset: offset, as: T.self) }
        return bytes
    }

    private static func changed(_ bytes: [UInt8], at offset: Int, _ change: (UInt8) -> UInt8) -> [UInt8] {
        var bytes = bytes
        bytes[offset] = change(bytes[offset])
        return bytes
    }

    /// Where the program header of a type lies.
    private static func header<T: BinaryInteger>(_ bytes: [UInt8], _ type: T) -> Int {
        (0..<Int(load(bytes, 56, UInt16.self))).map { 64 + 56 * $0 }
            .first { load(bytes, $0, UInt32.self) == UInt32(type) } ?? 64
    }

    private static func edited<T: BinaryInteger, Value: FixedWidthInteger>(
        _ bytes: [UInt8], _ type: T, field: Int, _ value: Value
    ) -> [UInt8] {
        stored(bytes, header(bytes, type) + field, value)
    }

    /// Replaces a dynamic entry.
    private static func dynamic<Old: BinaryInteger, New: BinaryInteger>(
        _ bytes: [UInt8], _ old: Old, becomes new: New, value: UInt64
    ) -> [UInt8] {
        var at = Int(load(bytes, header(bytes, PT_DYNAMIC) + 8, UInt64.self))
        while load(bytes, at, Int64.self) != Int64(old) { at += 16 }
        return stored(stored(bytes, at, Int64(new)), at + 8, value)
    }

    private static func value<Tag: BinaryInteger>(_ bytes: [UInt8], of tag: Tag) -> Int {
        var at = Int(load(bytes, header(bytes, PT_DYNAMIC) + 8, UInt64.self))
        while load(bytes, at, Int64.self) != Int64(tag) { at += 16 }
        return Int(load(bytes, at + 8, UInt64.self))
    }

    /// A second segment below the first one: ld.so would map it over foreign memory.
    private static func twoPieces(_ bytes: [UInt8]) -> [UInt8] {
        let stack = header(bytes, PT_GNU_STACK)
        var bytes = bytes
        bytes.replaceSubrange(stack..<stack + 56, with: bytes[64..<120])
        // The first one goes up.
        return stored(bytes, 64 + 16, UInt64(0x4000_0000))
    }

    /// More headers for ld.so than for libelf, which takes their number from the first section header.
    private static func manyHeaders(_ bytes: [UInt8]) -> [UInt8] {
        let sections = Int(load(bytes, 40, UInt64.self))
        let count = UInt32(load(bytes, 56, UInt16.self))
        return stored(stored(bytes, 56, UInt16(0xffff)), sections + 44, count)
    }

    private static func symbol(_ bytes: [UInt8], _ change: (UInt8) -> UInt8) throws -> [UInt8] {
        changed(bytes, at: value(bytes, of: DT_SYMTAB) + 24 + 4, change)
    }

    /// The null symbol gets the name, and another place.
    private static func twoSymbols(_ bytes: [UInt8]) throws -> [UInt8] {
        let table = value(bytes, of: DT_SYMTAB)
        var bytes = bytes
        bytes.replaceSubrange(table..<table + 24, with: bytes[table + 24..<table + 48])
        return stored(bytes, table + 8, UInt64(0))
    }
}
