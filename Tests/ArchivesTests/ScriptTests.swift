import BytesE
import CModuleABI
import Foundation
import Testing

@testable import Archives

@Suite struct ScriptTests {
    /// What the Script Encoder made of two lines of JScript.
    private let encoded = "#@~^LAAAAA==W!x^DkKxP6WKc#Pls+MYcvD+/D@$@!D+/D@*@#@&E#p8Vg0AAA==^#~@"
    private let plain = "function foo(){alert('test@<test>\r\n');}"

    private func unpacked(_ text: [UInt8], name: StaticString = "", declared: StaticString = "") -> TrialHost {
        let host = TrialHost(memory: 4 << 20)
        _ = text.withUnsafeBufferPointer { host.unpack(ByteView($0), name: name, declared: declared, depth: 1) }
        return host
    }

    private func base64(_ text: String) -> String {
        Data(text.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }).base64EncodedString()
    }

    @Test func encodedScript() throws {
        let host = unpacked(Array(encoded.utf8), name: "a.jse")
        #expect(host.texts == [plain])
        #expect(host.names == ["a.js"])
        #expect(try #require(host.children.first).type == EM_TYPE_SCRIPT)
    }

    @Test func encodedScriptsInPage() {
        let page = "<html><script language='JScript.Encode'>\(encoded)</script><script>\(encoded)</script>"
        #expect(unpacked(Array(page.utf8)).texts == [plain, plain])
    }

    @Test func encodedScriptWithoutEnd() throws {
        let host = unpacked(Array(encoded.prefix(30).utf8))
        let child = try #require(host.children.first)
        #expect(plain.hasPrefix(text(child.data)) && child.data.count == 18)
        #expect(child.flags & EM_OBJECT_TRUNCATED != 0)
    }

    @Test func wrongLengthOfEncodedScript() {
        let wrong = encoded.replacing("LAAAAA==", with: "/////w==")
        #expect(unpacked(Array(wrong.utf8)).texts == [plain])
    }

    @Test(arguments: ["-enc ", "-e ", "/EncodedCommand ", "-^e^n^c ", "-eC '", "-En`c \""]) func encodedCommand(
        _ parameter: String
    ) throws {
        let command = "powershell.exe -w hidden \(parameter)\(base64("IEX 'x'; Write-Host hello"))"
        let host = unpacked(Array(command.utf8))
        #expect(host.texts == ["IEX 'x'; Write-Host hello"])
        #expect(try #require(host.children.first).type == EM_TYPE_SCRIPT)
    }

    @Test func encodedCommandInWideScript() {
        let command = "powershell -enc \(base64("Write-Host hello"))"
        let wide: [UInt8] = [0xFF, 0xFE] + command.utf16.flatMap { little(Int($0), 2) }
        #expect(unpacked(wide, name: "a.ps1").texts == ["Write-Host hello"])
    }

    @Test func otherWordsAreNoCommand() {
        let text = "powershell -file AAAABBBBCCCCDDDDEEEE -x 0123456789abcdef0123"
        #expect(unpacked(Array(text.utf8)).texts == [])
    }

    @Test func deflatedArgument() {
        let packed = Data(deflated(Array("a program of this script".utf8))).base64EncodedString()
        let text = "$s=New-Object IO.Compression.DeflateStream([Convert]::FromBase64String('\(packed)'))"
        #expect(unpacked(Array(text.utf8)).texts == ["a program of this script"])
    }

    @Test(arguments: [
        "x = atob('%')", "x = window.atob( \"%\" )", "const x = atob(`%`)", "var s = '%'; f(atob(s))",
    ]) func filesOfPages(script: String) {
        let program = "a program of this page, which it builds for download"
        let packed = Data(program.utf8).base64EncodedString()
        for page in ["<html><script>\(script)</script>", " \r\n<svg><script>\(script)</script></svg>"] {
            let host = unpacked(Array(page.replacing("%", with: packed).utf8))
            #expect(host.texts == [program])
        }
    }

    @Test func pagesWithoutDecoding() {
        let packed = Data(String(repeating: "a picture of this page", count: 9).utf8).base64EncodedString()
        #expect(unpacked(Array("<html><script>x = '\(packed)'</script>".utf8)).texts == [])
        #expect(unpacked(Array("No page: atob('\(packed)')".utf8)).texts == [])
    }

    /// Bytes may look like a deflated stream by chance.
    @Test func bytesBehindTheStream() {
        let packed = deflated(Array("a program of this script".utf8)) + Array("and more behind it".utf8)
        let text = "[Convert]::FromBase64String('\(Data(packed).base64EncodedString())')"
        let children = unpacked(Array(text.utf8), name: "a.ps1").children.map(\.data)
        #expect(children == [Array("a program of this script".utf8), packed])
    }

    /// Most bytes of a head are zeros, which are no text of two bytes each.
    @Test func archivesInScripts() {
        let head = Array("file.txt".utf8) + [UInt8](repeating: 0, count: 1000)
        let text = "[Convert]::FromBase64String('\(Data(head).base64EncodedString())')"
        #expect(unpacked(Array(text.utf8), name: "a.ps1").children.map(\.data) == [head])
    }

    @Test func commandOfLink() {
        var link = [0x4C, 0, 0, 0, 1, 0x14, 2, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46] as [UInt8]
        link += little(0x20 | 0x08 | 0x80, 4)
        link += [UInt8](repeating: 0, count: 76 - link.count)
        for part in ["..\\cmd.exe", "/c powershell -enc \(base64("Write-Host hello"))"] {
            link += little(part.utf16.count, 2) + part.utf16.flatMap { little(Int($0), 2) }
        }
        link += [0, 0, 0, 0] + Array("appended".utf8)
        let host = unpacked(link)
        #expect(host.texts == ["..\\cmd.exe /c powershell -enc \(base64("Write-Host hello"))", "appended"])
        #expect(unpacked(host.children.first?.data ?? [], name: "command.cmd").texts == ["Write-Host hello"])
    }

    @Test func oldHangulDocument() throws {
        var document = Array("HWP Document File V3.00 \u{1A}\u{1}\u{2}\u{3}\u{4}\u{5}".utf8)
        document += [UInt8](repeating: 0, count: 128 + 1008)
        document[30 + 124] = 1
        document[30 + 126] = 3
        document += [9, 9, 9] + deflated(Array("text of it".utf8))
        #expect(unpacked(document).texts == ["text of it"])
        document[30 + 96] = 1
        #expect(try #require(unpacked(document).children.first).flags & EM_OBJECT_ENCRYPTED != 0)
    }
}
