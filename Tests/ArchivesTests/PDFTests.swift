import BytesE
import CModuleABI
import Testing

@testable import Archives

@Suite struct PDFTests {
    private func file(_ dictionary: String, _ stream: [UInt8], more: String = "") -> [UInt8] {
        Array("%PDF-1.7\n1 0 obj\n<<\(dictionary)/Length \(stream.count)>>\nstream\n".utf8) + stream
            + Array("\nendstream\nendobj\n\(more)trailer\n<<>>\n".utf8)
    }

    private func hexadecimal(_ bytes: [UInt8]) -> [UInt8] {
        bytes.flatMap { byte in
            let text = String(byte, radix: 16)
            return Array((text.count == 1 ? "0" + text : text).utf8)
        }
    }

    /// "abc" as one row that says how it differs from the row above, in zlib's form.
    private let predicted = [0x78, 0x01] + deflated([2] + Array("abc".utf8)) + [0x05, 0xD2, 0x01, 0x29]

    @Test func filesThatCallThemselvesPictures() {
        let bytes = file("/Subtype/Image/Filter/ASCIIHexDecode", hexadecimal(Array("harmful".utf8)) + [0x3E])
        #expect(unpacked(bytes).host.texts == ["harmful"])
    }

    @Test(arguments: [
        "%/Encrypt 9 0 R\n", "%/Encrypt<</Filter/Standard/V 1>>\n", "2 0 obj<<>>stream\n/Encrypt 9 0 R\nendstream\n",
    ])
    func encryptionThatNobodyUses(text: String) {
        // A file is told as encrypted then, and read without encryption all the same.
        let bytes = file("/Filter/ASCIIHexDecode", hexadecimal(Array("harmful".utf8)) + [0x3E], more: text)
        let host = unpacked(bytes).host
        #expect(host.texts.contains("harmful"))
        #expect(host.flags & EM_OBJECT_ENCRYPTED != 0)
    }

    @Test func parametersOfTheSecondFilter() {
        let filters = "/Filter[/ASCIIHexDecode/FlateDecode]"
        let predictor = "<</Predictor 12/Columns 3>>"
        for parameters in ["[null \(predictor)]", "[null 2 0 R]", "[<<>>\(predictor)]", "[3 0 R 2 0 R]"] {
            let bytes = file(
                "\(filters)/DecodeParms\(parameters)", hexadecimal(predicted) + [0x3E],
                more: "2 0 obj\n\(predictor)\nendobj\n3 0 obj\n<<>>\nendobj\n")
            #expect(unpacked(bytes).host.texts == ["abc"], "\(parameters)")
        }
    }
}
