package import Bytes

/// What a mail server tells about the original client (Postfix XFORWARD): attributes of one or several
/// XFORWARD commands, valid until the transaction ends.
package struct XForward: Sendable, Equatable {
    /// An attribute of the protocol.
    package enum Attribute: String, Sendable, CaseIterable {
        case name = "NAME"
        case address = "ADDR"
        case port = "PORT"
        case proto = "PROTO"
        case helo = "HELO"
        case identity = "IDENT"
        case source = "SOURCE"
    }

    /// Decoded values; nil inside stands for `[UNAVAILABLE]`.
    package private(set) var values: [Attribute: [UInt8]?] = [:]

    /// Longest command in octets, its line end included.
    package static let maximumCommand = 512
    private static let unavailable = Array("[UNAVAILABLE]".utf8)

    package init() {}

    /// Reads the argument of an XFORWARD command.
    /// - Returns: nil without any attribute, with an unknown one, with bad xtext (RFC 3461 section 4) or with a
    ///   value of more than 255 octets or with control characters.
    package init?(parsing argument: ByteView) {
        var rest = argument.trimmed
        guard !rest.isEmpty, rest.count <= Self.maximumCommand else { return nil }
        while !rest.isEmpty {
            let end = rest.firstIndex(of: 0x20) ?? rest.count
            let word = rest.prefix(end)
            rest = rest.dropFirst(end).trimmed
            guard let equals = word.firstIndex(of: UInt8(ascii: "=")),
                let attribute = Attribute(rawValue: String(decoding: capitals(word.prefix(equals)), as: UTF8.self)),
                let value = XText.decode(word.dropFirst(equals + 1)), value.count <= 255,
                !value.contains(where: { $0 < 0x20 || $0 == 0x7F })
            else { return nil }
            values.updateValue(Self.isUnavailable(value) ? nil : value, forKey: attribute)
        }
    }

    /// Whether nothing was told.
    package var isEmpty: Bool { values.isEmpty }

    /// A value that was told and is available, as text.
    package func text(_ attribute: Attribute) -> String? {
        guard case .some(.some(let value)) = values[attribute] else { return nil }
        return String(decoding: value, as: UTF8.self)
    }

    /// The client's address without the `IPV6:` prefix.
    package var clientAddress: String? {
        guard let text = text(.address) else { return nil }
        return text.lowercased().hasPrefix("ipv6:") ? String(text.dropFirst(5)) : text
    }

    /// Takes over what a further command told.
    package mutating func merge(_ other: XForward) {
        values.merge(other.values) { _, new in new }
    }

    /// The commands that tell a next hop the same, as few as fit into 512 octets each.
    /// - Parameter offered: the attributes that the next hop announced; others are left out.
    /// - Returns: whole lines with their ends; none when there is nothing to tell.
    package func commands(offered: Set<Attribute>) -> [[UInt8]] {
        guard !values.isEmpty else { return [] }
        var commands: [[UInt8]] = []
        let verb = Array("XFORWARD".utf8)
        var line = verb
        for attribute in Attribute.allCases where offered.contains(attribute) {
            guard let value = values[attribute] else { continue }
            // One attribute of 255 octets, all written as +XX, is longer than a command may be.
            var text = value.map(XText.encode) ?? Self.unavailable
            if verb.count + attribute.rawValue.utf8.count + text.count + 4 > Self.maximumCommand {
                text = Self.unavailable
            }
            let word = [0x20] + Array(attribute.rawValue.utf8) + [UInt8(ascii: "=")] + text
            if line.count + word.count + 2 > Self.maximumCommand {
                commands.append(line + [0x0D, 0x0A])
                line = verb
            }
            line += word
        }
        if line.count > verb.count { commands.append(line + [0x0D, 0x0A]) }
        return commands
    }

    private static func isUnavailable(_ value: [UInt8]) -> Bool {
        value.withUnsafeBufferPointer { ByteView($0).equalsIgnoringCase(ByteView("[UNAVAILABLE]")) }
    }
}

/// The xtext encoding (RFC 3461 section 4): `+` and two capital hexadecimal digits for what is not graphic ASCII.
package enum XText {
    /// Decodes; nil when a `+` is not followed by two hexadecimal digits.
    package static func decode(_ text: ByteView) -> [UInt8]? {
        var out: [UInt8] = []
        out.reserveCapacity(text.count)
        var index = 0
        while index < text.count {
            let byte = text[index]
            if byte == UInt8(ascii: "+") {
                guard index + 2 < text.count, let high = digit(text[index + 1]), let low = digit(text[index + 2]) else {
                    return nil
                }
                out.append(high << 4 | low)
                index += 3
            } else {
                out.append(byte)
                index += 1
            }
        }
        return out
    }

    /// Encodes.
    package static func encode(_ bytes: [UInt8]) -> [UInt8] {
        let hex = Array("0123456789ABCDEF".utf8)
        var out: [UInt8] = []
        for byte in bytes {
            if byte > 0x20, byte < 0x7F, byte != UInt8(ascii: "+"), byte != UInt8(ascii: "=") {
                out.append(byte)
            } else {
                out += [UInt8(ascii: "+"), hex[Int(byte >> 4)], hex[Int(byte & 15)]]
            }
        }
        return out
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        if byte &- 0x30 < 10 { return byte &- 0x30 }
        let letter = asciiLowercased(byte)
        return letter &- 0x61 < 6 ? letter &- 0x61 + 10 : nil
    }
}
