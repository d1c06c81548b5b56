#if MODULE_WORLD
    package import BytesE
#else
    package import Bytes
#endif

/// A structured header value with parameters: Content-Type, Content-Disposition (RFC 2045 §5.1, RFC 2231), read as
/// leniently as mail clients read it. Where they differ, a parameter has several candidates.
package struct HeaderParameters: Sendable {
    /// Media type or disposition in lower case, without comments and white space, e.g. "multipart/mixed".
    package private(set) var main: [UInt8] = []
    /// Whether the value was longer than what is read of it.
    package let isCut: Bool

    private var list: [Parameter] = []

    private struct Parameter {
        /// Lower case, without the asterisks of RFC 2231.
        var name: [UInt8]
        /// Number of a continuation, -1 for none.
        var section: Int
        var isExtended: Bool
        /// Values in the order of their likelihood; never empty.
        var values: [[UInt8]]
    }

    /// What is read of one value, in bytes.
    static let longest = 65536
    /// Parameters and stray words that are read.
    static let mostTokens = 128

    package init(_ value: ByteView) {
        isCut = value.count > Self.longest
        var parser = ParameterScanner(value.prefix(Self.longest))
        main = parser.mainValue()
        var tokens = 0
        while tokens < Self.mostTokens, let token = parser.next() {
            tokens += 1
            guard !token.values.isEmpty else { continue }
            list.append(Self.parameter(token.name, token.values))
        }
    }

    /// Splits "filename*0*" into its parts.
    private static func parameter(_ raw: [UInt8], _ values: [[UInt8]]) -> Parameter {
        var name: [UInt8] = []
        var section = -1
        var extended = false
        var stars = 0
        for byte in raw {
            if byte == 0x2A {
                stars += 1
                extended = true
                continue
            }
            if stars == 0 {
                name.append(asciiLowercased(byte))
            } else if byte &- 0x30 < 10, section < 1000 {
                section = max(0, section) * 10 + Int(byte - 0x30)
                extended = false
            }
        }
        return Parameter(name: name, section: section, isExtended: extended, values: values)
    }

    /// Whether a parameter is there without a value.
    func hasEmpty(_ name: StaticString) -> Bool {
        list.contains { $0.section < 0 && $0.values.contains([]) && matches($0, name) }
    }

    /// Raw values of a parameter, without character set conversion, the likeliest first; for boundaries and charsets.
    package func values(_ name: StaticString) -> [[UInt8]] {
        var result: [[UInt8]] = []
        for parameter in list where parameter.section < 0 && !parameter.isExtended && matches(parameter, name) {
            for value in parameter.values { append(value, to: &result) }
        }
        if let assembled = assemble(name) { append(assembled.bytes, to: &result) }
        return result
    }

    /// Values of a parameter as UTF-8, the likeliest first; for file names.
    package func texts(_ name: StaticString) -> [[UInt8]] {
        var result: [[UInt8]] = []
        if let assembled = assemble(name) {
            append(
                assembled.bytes.withUnsafeBufferPointer { bytes in
                    assembled.charset.isEmpty
                        ? EncodedWords.decode(ByteView(bytes))
                        : assembled.charset.withUnsafeBufferPointer { Charset(label: ByteView($0)) }
                            .decode(ByteView(bytes))
                }, to: &result)
        }
        for parameter in list where parameter.section < 0 && !parameter.isExtended && matches(parameter, name) {
            for value in parameter.values {
                append(value.withUnsafeBufferPointer { EncodedWords.decode(ByteView($0)) }, to: &result)
            }
        }
        return result
    }

    private func matches(_ parameter: Parameter, _ name: StaticString) -> Bool {
        parameter.name.withUnsafeBufferPointer { ByteView($0).equals(ByteView(name)) }
    }

    private func append(_ value: [UInt8], to result: inout [[UInt8]]) {
        guard !value.isEmpty, !result.contains(value) else { return }
        // Some take the last one.
        if result.count == 8 { result.removeLast() }
        result.append(value)
    }

    /// Puts the parts of RFC 2231 together: `name*=charset'language'text`, `name*0=…; name*1*=…`.
    private func assemble(_ name: StaticString) -> (bytes: [UInt8], charset: [UInt8])? {
        let parts = list.filter { ($0.section >= 0 || $0.isExtended) && matches($0, name) }
        guard !parts.isEmpty else { return nil }
        var bytes: [UInt8] = []
        var charset: [UInt8] = []
        // Sections may come in any order; what lies behind a gap is not shown by anybody.
        var section = parts.map { $0.section }.min() ?? -1
        var isFirst = true
        while let part = parts.first(where: { $0.section == section }), let value = part.values.first {
            var text = value[...]
            if part.isExtended {
                if isFirst, let first = text.firstIndex(of: 0x27),
                    let second = text[(first + 1)...].firstIndex(of: 0x27)
                {
                    charset = [UInt8](text[..<first])
                    text = text[(second + 1)...]
                }
                appendPercentDecoded(text, &bytes)
            } else {
                bytes.append(contentsOf: text)
            }
            isFirst = false
            section = section < 0 ? 0 : section + 1
        }
        return bytes.isEmpty ? nil : (bytes, charset)
    }

    private func appendPercentDecoded(_ text: ArraySlice<UInt8>, _ bytes: inout [UInt8]) {
        var index = text.startIndex
        while index < text.endIndex {
            if text[index] == 0x25, index + 2 < text.endIndex, let high = hexDigit(text[index + 1]),
                let low = hexDigit(text[index + 2])
            {
                bytes.append(high << 4 | low)
                index += 3
            } else {
                bytes.append(text[index])
                index += 1
            }
        }
    }
}
