import Bytes
import CCrypto
import Testing

@testable import CVD

/// A signature by a key whose modulus has 2047 bits, as ClamAV's has, with the highest bit that leaves set: a verifier that
/// goes by the modulus refuses it. Made by the functions of containers.py; the key was thrown away.
@Suite("Padding of signatures") struct SignaturePaddingTests {
    private let key = PublicKey(
        modulus:
            "131299236754856453243104846236679870694265130906055314761441485122210957815037405167744003550159"
            + "463973153392379553874960708667813302856032595366248899025749537011601216364893802265039157018857"
            + "628871976954530030291358901006214944216173862474013778316505752264737240212804228114665730808977"
            + "913844060506782228362890875922477548569288849938606412425804156038460011138340609861757029093042"
            + "038610989702559839678395437285211257296728316315275968859812121506864524996112719854530194228453"
            + "170092210306481112253694173155622126815954324400728141319100352660045058133878229458895990844546"
            + "49131472324316464587424450044479334393359",
        exponent: "65537", size: 256)
    private let signature =
        "/xUuF3O/380znY1pz3PAzNcTSr/LYbCDHJ5McAwMKmkkh693OtnODsE9Bmz8+Bl4v9myGl/rEQsbZTWxeDy9ADKSyTAXuhPe"
        + "DDo47plW/vIoZEIsLmC0X8U6kYnKjncjWGOTBSuubY3VuKp+9EhuO7O5w17TYwZmaFzdAHS6ESaCWWbG98TDTzJ47xQUTMJO"
        + "AgWa8euHH3dgfmeVQT520pHc67xV66nRHU+FgRKpgZwdIUZaig0pUVwKlLEODVwr1WHtWqpXt8DyRR8XsXtRZKc3RHbNNFQ0"
        + "DFa+egkigwVf+oF5KNvTaBHRFKtrGDoUpn2JX2qoSp5hQu6Kh/rjob"

    private func digest(_ text: String) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        _ = CCrypto_digest(CCRYPTO_SHA256, Array(text.utf8), text.utf8.count, &digest)
        return digest
    }

    private func verify(_ signature: String, _ text: String) -> Bool {
        Array(signature.utf8).withUnsafeBufferPointer { key.verify(ByteView($0), digest: digest(text)) }
    }

    @Test func shorterModulus() {
        #expect(verify(signature, "lines of a container"))
        #expect(!verify(signature, "lines of a container "))
    }

    @Test("no changed letter is accepted") func changed() {
        for at in stride(from: 0, to: signature.count, by: 7) {
            var letters = Array(signature)
            letters[at] = letters[at] == "b" ? "c" : "b"
            #expect(!verify(String(letters), "lines of a container"))
        }
        #expect(!verify("", "lines of a container"))
        #expect(!verify("b", "lines of a container"))
    }

    @Test("every part of the padding counts") func parts() {
        // A message that is right, byte by byte changed; the salt's own bytes among them.
        var right = [UInt8](repeating: 0, count: 256)
        Array(signature.utf8).withUnsafeBufferPointer { right = key.recover(ByteView($0), count: 256) ?? right }
        #expect(SignaturePadding.verify(right, digest: digest("lines of a container")))
        for at in right.indices {
            var wrong = right
            wrong[at] ^= 1
            #expect(!SignaturePadding.verify(wrong, digest: digest("lines of a container")), "\(at)")
        }
        right[0] |= 0x80
        #expect(!SignaturePadding.verify(right, digest: digest("lines of a container")))
        #expect(!SignaturePadding.verify([], digest: digest("")))
    }
}
