import Bytes
import CSignedData

/// The keys that ClamAV's containers are signed with, and its way to write signatures as text.
///
/// The numbers are public: every engine that reads the containers has them.
struct PublicKey: Sendable {
    let modulus: String
    let exponent: String
    /// Bytes of a signature.
    let size: Int

    /// Of the header's signature over an MD5: 1024 bits.
    static let container = PublicKey(
        modulus: "1186409955516453426030700016584531897515277744120277437465994057432431426074641447673610606406558447"
            + "4976078889002228342492276248891756555100246777110966959818941043469903453223222862159108950817859142"
            + "8456220796841621637175567590476666928698770143328137383952820383197532047771780196576957695822641224"
            + "262693037",
        exponent: "100001027", size: 128)

    /// Of the signature in the `.info` member over the SHA-256 of the lines before it: 2048 bits.
    static let information = PublicKey(
        modulus: "1108889498304854547365955610662719492392894179179504762059165869741358104332271591217249680652538105"
            + "5880964520618400224333320534660299233983755341740679502866829909679955734391392668378361221524205396"
            + "6310901051516412708572770803107343209516537005089417174191687239425078907029047027075874516216910507"
            + "5430785038339986534648720379846417853739221140278648135982446119723110289541509377039421666632448459"
            + "3935762408468516826633192140826667923494822045805347809932848454845886971706424360558667862775876072"
            + "0594377033653802091016977385775154769350854694552799941131459779940846183284821510131423933733163375"
            + "19977244732747977",
        exponent: "100002049", size: 256)

    /// Of the signature at the end of a script of changes over the SHA-256 of what is before it: 2048 bits.
    static let script = PublicKey(
        modulus: "1478390587407746709026222851655791757025459963837620353203198921410555284726"
            + "9687489771975792123442185817287694951949800908791527542017115600501303394778"
            + "6185358648452357000415900563182301024496122174585490160893133065913885907907"
            + "9651581965410232072571230082235634872401123265483750324173617790778419870083"
            + "4440681124727060540035754699658105895050096576226753008596881698828185652424"
            + "9019216687583265784620032479064709820922981067896572119054889862810783463614"
            + "6952448482955956088622719809199549844067663963983046359321138605506536028842"
            + "2394053998134458623712540683294034953818412458362198117811990006021989844180721010947",
        exponent: "100002053", size: 256)

    /// What an RSA signature over raw bytes holds: `count` bytes, big endian. nil when it does not fit.
    func recover(_ text: ByteView, count: Int) -> [UInt8]? {
        guard let signature = number(text) else { return nil }
        var result = [UInt8](repeating: 0, count: count)
        return CSignedData_rsa_recover(modulus, exponent, signature, signature.count, &result, count) == 1
            ? result : nil
    }

    /// Whether it is an RSASSA-PSS signature over this SHA-256.
    func verify(_ text: ByteView, digest: [UInt8]) -> Bool {
        guard let encoded = recover(text, count: size) else { return false }
        return SignaturePadding.verify(encoded, digest: digest)
    }

    /// Six bits for each character, the lowest first; the result is big endian, as long as the key.
    private func number(_ text: ByteView) -> [UInt8]? {
        guard !text.isEmpty, text.count <= (size * 8 + 5) / 6 else { return nil }
        var result = [UInt8](repeating: 0, count: size)
        for (index, character) in text.buffer.enumerated() {
            guard let value = Self.value(character) else { return nil }
            for bit in 0..<6 where value >> bit & 1 == 1 {
                let place = index * 6 + bit
                guard place < size * 8 else { return nil }
                result[size - 1 - place / 8] |= 1 << UInt8(place % 8)
            }
        }
        return result
    }

    /// a…z, A…Z, 0…9, +, /: not the order of RFC 4648.
    private static func value(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a")
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}

/// The keys that containers and scripts of changes are checked with.
package struct Keys: Sendable {
    let container: PublicKey
    let information: PublicKey
    let script: PublicKey

    init(container: PublicKey, information: PublicKey, script: PublicKey) {
        self.container = container
        self.information = information
        self.script = script
    }

    /// Keys of another publisher, by their moduli as decimal numbers; the exponent is 65537. For tests.
    package init(container: String, information: String, script: String) {
        self.init(
            container: PublicKey(modulus: container, exponent: "65537", size: 128),
            information: PublicKey(modulus: information, exponent: "65537", size: 256),
            script: PublicKey(modulus: script, exponent: "65537", size: 256))
    }

    /// Those of ClamAV's releases.
    package static let published = Keys(container: .container, information: .information, script: .script)
}
