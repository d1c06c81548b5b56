/// The EICAR test file in one object of each container format, in base64 so that no scanner finds it in this program.
enum KnownContainers {
    static let all: [(name: String, base64: String)] = [
        (
            "ZIP",
            "UEsDBBQAAAAIAAAAIVw8z1FoRgAAAEQAAAAFAAAAZi5jb22LMPVXDFB1cAyINokJiIowNdEIiNM0d3bWNK9VcfV0dgzS"
                + "DQ5x9HNxDHLRdfQL8QzzDAoN1g1xDQ7RdfP0cVVU8dD20AIAUEsBAhQDFAAAAAgAAAAhXDzPUWhGAAAARAAAAAUAAAAA"
                + "AAAAAAAAAIABAAAAAGYuY29tUEsFBgAAAAABAAEAMwAAAGkAAAAAAA=="
        ),
        (
            "GZIP",
            "H4sICAAAAAAC/2YuY29tAIsw9VcMUHVwDIg2iQmIijA10QiI0zR3dtY0r1Vx9XR2DNINDnH0c3EMctF19AvxDPMMCg3W"
                + "DXENDtF18/RxVVTx0PbQAgA8z1FoRAAAAA=="
        ),
        (
            "TAR in GZIP",
            "H4sICAAAAAAC/2YudGFyAEvTS87PZaAtMAACMxMTMA0E6LSBoQFcDipuZmZmyqBgwEAHUFpcklgEtJJhZIIIU3/FAFUH"
                + "x4Bok5iAqAhTE42AOE1zZ2dN81oVV09nxyDd4BBHPxfHIBddR78QzzDPoNBg3RDX4BBdN08fV0UVD20PLYZRMApGwSgY"
                + "BUMOAADklnsGAAgAAA=="
        ),
        (
            "uuencoded text",
            "RnJvbTogYUBleGFtcGxlLm9yZw0KU3ViamVjdDogZg0KDQpiZWdpbiA2NDQgZi5jb20NCk02IzUvKDUgRTAkJTA2UzE8"
                + "NCVJOC0zMEg0JVhJLVQtIyozPV0pJDUpMFQlMis1LTQwNFkkMDUpJCs0JS4NCjc1JEU2MjUpNTRSVTQxNS00KzQ5KTMk"
                + "NEEpJEBLMiJIIA0KYA0KZW5kDQo="
        ),
    ]

    /// The bytes of base64 text (RFC 4648 section 4).
    static func bytes(_ base64: String) -> [UInt8] {
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for character in base64.utf8 {
            let value: UInt8
            switch character {
            case 0x41...0x5a: value = character - 0x41
            case 0x61...0x7a: value = character - 0x61 + 26
            case 0x30...0x39: value = character - 0x30 + 52
            case 0x2b: value = 62
            case 0x2f: value = 63
            default: continue
            }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return bytes
    }
}
