import Bytes
import CModuleABI
import Testing

@testable import SignatureCompiler

/// Parses a line that lives as long as the call.
private func parse<T>(_ text: String, _ body: (ByteView) throws -> T) rethrows -> T {
    try Array(text.utf8).withUnsafeBufferPointer { try body(ByteView($0)) }
}

private func reason(_ text: String, _ body: (ByteView) throws(LineError) -> Void) -> String? {
    Array(text.utf8).withUnsafeBufferPointer { buffer in
        do throws(LineError) {
            try body(ByteView(buffer))
            return nil
        } catch { return error.reason }
    }
}

@Suite("Container metadata lines")
struct ContainerLineTests {
    @Test func fields() throws {
        try parse("Test.Zip:CL_TYPE_ZIP:100-2000:\\.exe$:1-9:*:1:3:deadBEEF:*:1:255") { line in
            let entry = try ContainerLine(line)
            #expect(entry.container != 0 && entry.containerSize == 100...2000 && entry.packedSize == 1...9)
            #expect(entry.statedSize == 0...UInt64.max && entry.position == 3...3)
            #expect(entry.isEncrypted == true && entry.crc32 == 0xdead_beef)
            #expect(entry.nameRegex == Array("\\.exe$".utf8))
        }
        try parse("Test.Any:*:*:*:*:*:*:*:*:*") { line in
            let entry = try ContainerLine(line)
            #expect(entry.container == 0 && entry.isEncrypted == nil && entry.crc32 == nil && entry.nameRegex.isEmpty)
        }
    }

    /// The field for a checksum means something for ZIP and RAR alone.
    @Test func checksumOfOtherContainers() throws {
        try parse("Test.Tar:CL_TYPE_POSIX_TAR:*:*:*:*:*:*:whatever:*") { line in
            let entry = try ContainerLine(line)
            #expect(entry.crc32 == nil)
        }
    }

    @Test(arguments: [
        ("N:CL_TYPE_ZIP:*:*:*:*:*:*:*", "fewer than ten fields"),
        (":*:*:*:*:*:*:*:*:*", "the name is empty"),
        ("N:ZIP:*:*:*:*:*:*:*:*", "an unknown file type"),
        ("N:*:x:*:*:*:*:*:*:*", "the container size is no number"),
        ("N:*:9-1:*:*:*:*:*:*:*", "the container size is no range of numbers"),
        ("N:*:*:*:*:1-:*:*:*:*", "the size is no range of numbers"),
        ("N:*:*:*:*:*:2:*:*:*", "whether it is encrypted is neither 0, 1 nor *"),
        ("N:*:*:*:*:*:*:-1:*:*", "the position is no range of numbers"),
        ("N:CL_TYPE_ZIP:*:*:*:*:*:*:xyz:*", "the checksum is no hexadecimal number"),
        ("N:*:*:*:*:*:*:*:*:*:9999", "for a newer engine"),
        ("N:*:*:*:*:*:*:*:*:*:1:2", "for an older engine"),
        ("N:*:*:*:*:*:*:*:*:*:1:255:3", "too many fields"),
    ])
    func refused(_ line: String, _ expected: String) {
        #expect(reason(line) { line throws(LineError) in _ = try ContainerLine(line) } == expected)
    }

    @Test func badExpressions() {
        let found = reason("N:*:*:(:*:*:*:*:*:*") { line throws(LineError) in _ = try ContainerLine(line) }
        #expect(found?.contains("PCRE2 refuses") == true)
    }
}

@Suite("File type lines")
struct FileTypeLineTests {
    @Test func bytesAtAnOffset() throws {
        try parse("0:2:4d5a:Program:CL_TYPE_ANY:CL_TYPE_MSEXE") { line in
            let entry = try FileTypeLine(line)
            #expect(entry.type == EM_TYPE_PE && entry.previous == EM_FILE_TYPE_ANY)
            #expect(entry.first == 2 && entry.literal == [0x4d, 0x5a] && entry.regex.isEmpty)
        }
    }

    @Test func patterns() throws {
        try parse("1:*:3c(68|48)746d6c{-4}3?:HTML data:CL_TYPE_TEXT_ASCII:CL_TYPE_HTML:1:255") { line in
            let entry = try FileTypeLine(line)
            #expect(entry.type == EM_TYPE_HTML && entry.previous == EM_TYPE_TEXT)
            #expect(entry.literal == Array("tml".utf8))
            #expect(
                String(decoding: entry.regex.prefix(40), as: UTF8.self).hasPrefix(
                    "\\x3c(?:\\x68|\\x48)\\x74\\x6d\\x6c.{0,4}?"))
        }
        try parse("1:0,16:aabb:X:CL_TYPE_ANY:CL_TYPE_MAIL") { line in
            let entry = try FileTypeLine(line)
            #expect(String(decoding: entry.regex, as: UTF8.self) == "\\A.{0,16}?\\xaa\\xbb")
        }
    }

    @Test(arguments: [
        ("0:0:4d5a:X:CL_TYPE_ANY", "fewer than six fields"),
        ("x:0:4d5a:X:CL_TYPE_ANY:CL_TYPE_MSEXE", "the kind is no number"),
        ("0:*:4d5a:X:CL_TYPE_ANY:CL_TYPE_MSEXE", "the offset is no number"),
        ("0:0:4d5:X:CL_TYPE_ANY:CL_TYPE_MSEXE", "the bytes are no hexadecimal digits"),
        ("0:1023:4d5a:X:CL_TYPE_ANY:CL_TYPE_MSEXE", "a file type beyond the first 1,024 bytes"),
        ("0:0:4d5a:X:CL_TYPE_ANY:MSEXE", "the type does not begin with CL_TYPE_"),
        ("0:0:4d5a:X:CL_TYPE_ANY:CL_TYPE_APM", "a file type that the scanner has no use for"),
        ("4:0:4d5a:X:CL_TYPE_ANY:CL_TYPE_MSEXE", "types of disk partitions"),
        ("7:0:4d5a:X:CL_TYPE_ANY:CL_TYPE_MSEXE", "an unknown kind of file type"),
        ("1:EOF-4:4d5a:X:CL_TYPE_ANY:CL_TYPE_MSEXE", "a file type at an offset from elsewhere than the beginning"),
    ])
    func refused(_ line: String, _ expected: String) {
        #expect(reason(line) { line throws(LineError) in _ = try FileTypeLine(line) } == expected)
    }
}

@Suite("Phishing lines")
struct LinkLineTests {
    private func content(_ text: String, _ format: LinkLine.Format) throws -> LinkLine.Content {
        try parse(text) { try LinkLine($0, format).content }
    }

    @Test func kinds() throws {
        #expect(
            try content("H:Bank.example", .protected)
                == .rule(EM_LINK_PROTECTED_HOST, Array("bank.example".utf8), literal: []))
        #expect(
            try content("R:.+\\.bank\\.(com|org)([/?].*)?:17-", .protected)
                == .rule(
                    EM_LINK_PROTECTED_REGEX, Array("^(?:.+\\.bank\\.(com|org)([/?].*)?/)$".utf8),
                    literal: Array(".bank.".utf8)))
        #expect(
            try content("M:mail.bank.example:bank.example:20-300", .allowed)
                == .rule(EM_LINK_ALLOWED_HOSTS, Array("mail.bank.example:bank.example".utf8), literal: []))
        let digest = String(repeating: "0f", count: 32)
        #expect(
            try content("S1:F:\(digest)", .hashes)
                == .hash(EM_LINK_HASH_BLOCKED, [UInt8](repeating: 15, count: 32)))
        #expect(
            try content("S:W:\(digest)", .allowed)
                == .hash(EM_LINK_HASH_ALLOWED, [UInt8](repeating: 15, count: 32)))
        #expect(try content("S2:P:01020304", .protected) == .prefix)
    }

    @Test(arguments: [
        ("H", "there is no colon"), ("H:", "nothing follows the colon"),
        ("X:a:b", "a kind of line that this file does not have"), ("H:a:9999-", "for a newer engine"),
        ("H:a:1-2", "for an older engine"), ("S:F:00", "the hash has the length of no known algorithm"),
        ("S:F:zz", "the hash has a character that is no hex digit"), ("S:P:00", "the prefix has not four bytes"),
        ("S3:F:\(String(repeating: "00", count: 32))", "a hash line of an unknown kind"),
    ])
    func refused(_ line: String, _ expected: String) {
        #expect(reason(line) { line throws(LineError) in _ = try LinkLine(line, .protected) } == expected)
    }
}
