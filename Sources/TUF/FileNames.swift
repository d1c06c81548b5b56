/// How roles and targets are called in file names and addresses.
package enum FileNames {
    /// The name without anything that means something in a path or an address: every byte but letters, digits, "_", ".",
    /// "-" and "~" as %XX.
    package static func encoded(role: String) -> String { encode(role.utf8) { _ in false } }

    /// A role's file: "3.targets.json", or "targets.json" without a version.
    package static func metadata(_ role: String, version: Int64? = nil) -> String {
        let name = "\(encoded(role: role)).json"
        return version.map { "\($0).\(name)" } ?? name
    }

    /// A target's path as a part of an address. What is encoded already stays.
    package static func address(ofPath path: String) -> String {
        let bytes = Array(path.utf8)
        return encode(bytes) { index in
            bytes[index] == UInt8(ascii: "/") || (bytes[index] == UInt8(ascii: "%") && isEncoded(bytes, at: index))
        }
    }

    /// Whether a path names one file below a folder, to everybody who reads it: on a disk, in an address, decoded or not,
    /// also with a hash in front of its last component.
    package static func isSafe(path: String) -> Bool {
        guard !path.isEmpty, path.utf8.count <= 1_024 else { return false }
        return isSafe(Array(path.utf8)) && isSafe(decode(Array(path.utf8)))
    }

    /// What a role may be called, so that its file has a name of its own.
    static func isUsable(role: String) -> Bool {
        !role.isEmpty && encoded(role: role).utf8.count <= 200 && !Root.roleNames.contains(role)
    }

    private static func isSafe(_ path: [UInt8]) -> Bool {
        guard path.allSatisfy({ $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "\\") }) else { return false }
        return path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).allSatisfy { part in
            !part.isEmpty && !part.elementsEqual(".".utf8) && !part.elementsEqual("..".utf8) && part.count <= 180
        }
    }

    private static func isEncoded(_ bytes: [UInt8], at index: Int) -> Bool {
        index + 2 < bytes.count && Hexadecimal.value(bytes[index + 1]) != nil
            && Hexadecimal.value(bytes[index + 2]) != nil
    }

    private static func decode(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
                let high = Hexadecimal.value(bytes[index + 1]), let low = Hexadecimal.value(bytes[index + 2])
            {
                result.append(high << 4 | low)
                index += 3
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return result
    }

    private static func encode(_ bytes: some Sequence<UInt8>, except: (Int) -> Bool) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var text: [UInt8] = []
        for (index, byte) in bytes.enumerated() {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"),
                UInt8(ascii: "~"):
                text.append(byte)
            default:
                if except(index) {
                    text.append(byte)
                } else {
                    text += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
                }
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
