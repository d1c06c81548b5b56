/// The text of esets.cfg or of a user file, line by line and byte for byte.
///
/// Parsing never fails and never loses anything: a line that cannot be understood is kept and marked
/// malformed, and `bytes` gives back exactly what was parsed. Whether names and values are right is not
/// decided here (see `Configuration`). Syntax:
///
///     [section]
///     name = value            a bare value ends at the line end or at a blank followed by # or ;
///     name = "value"          \" is a quote; any other backslash stays; a ; or a comment may follow
///     # comment               also with ; and indented; "#name = value" is a commented default
package struct ConfigurationFile: Sendable {
    /// One line of the file.
    package struct Line: Sendable {
        /// The line without its end.
        package internal(set) var bytes: [UInt8]
        /// How it ends: "\n", "\r\n", or "" for a last line without an end.
        package internal(set) var ending: Ending
        /// What it says.
        package internal(set) var content: Content
    }

    package enum Ending: Sendable { case lf, crlf, none }

    package enum Content: Sendable, Equatable {
        case blank
        case comment
        /// A comment that shows a parameter with its default.
        case commentedParameter(name: String)
        /// The text between the brackets.
        case header(String)
        case parameter(name: String, value: String)
        /// Not understood; the text tells why.
        case malformed(String)
    }

    /// The lines; the first one is line 1 in messages.
    package internal(set) var lines: [Line]
    /// A byte order mark stood at the beginning.
    private let hasByteOrderMark: Bool
    /// How new lines end: as the first line of the file does.
    let newLine: Ending

    /// Files above this size are refused by `Configuration.load` before they are parsed.
    package static let maximumSize = 16 << 20
    /// The longest line that is understood, in bytes.
    package static let maximumLineLength = 65_536

    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// Parses any bytes; see `Content.malformed` for what is wrong with them.
    package init(parsing bytes: [UInt8]) {
        hasByteOrderMark = bytes.starts(with: ConfigurationFile.byteOrderMark)
        var lines: [Line] = []
        var start = hasByteOrderMark ? 3 : 0
        while start < bytes.count {
            var end = start
            while end < bytes.count, bytes[end] != 0x0A { end += 1 }
            let terminated = end < bytes.count
            let carriageReturn = terminated && end > start && bytes[end - 1] == 0x0D
            let text = Array(bytes[start..<(carriageReturn ? end - 1 : end)])
            lines.append(
                Line(
                    bytes: text, ending: terminated ? (carriageReturn ? .crlf : .lf) : .none,
                    content: LineParser.content(of: text)))
            start = end + 1
        }
        self.lines = lines
        newLine = lines.first?.ending == .crlf ? .crlf : .lf
    }

    /// The file as it is written: for an unedited file exactly the bytes that were parsed.
    package var bytes: [UInt8] {
        var output = hasByteOrderMark ? ConfigurationFile.byteOrderMark : []
        for line in lines {
            output += line.bytes
            switch line.ending {
            case .lf: output.append(0x0A)
            case .crlf: output += [0x0D, 0x0A]
            case .none: break
            }
        }
        return output
    }

    /// A value as it stands in a section.
    package struct Entry: Sendable, Equatable {
        package let name: String
        /// Without quotes.
        package let value: String
        /// 1 is the first line.
        package let line: Int
    }

    /// A header with the values up to the next header.
    package struct Block: Sendable {
        /// Text between the brackets; nil for what stands before the first header.
        package let header: String?
        /// Line of the header; 0 for what stands before the first one.
        package let line: Int
        package internal(set) var entries: [Entry]
    }

    /// The sections in file order; equal headers are not merged. The first block is what stands before any
    /// header, and is there only when it has values.
    package var blocks: [Block] {
        var blocks = [Block(header: nil, line: 0, entries: [])]
        for (index, line) in lines.enumerated() {
            switch line.content {
            case .header(let name):
                blocks.append(Block(header: name, line: index + 1, entries: []))
            case .parameter(let name, let value):
                blocks[blocks.count - 1].entries.append(Entry(name: name, value: value, line: index + 1))
            case .blank, .comment, .commentedParameter, .malformed:
                break
            }
        }
        if blocks[0].entries.isEmpty { blocks.removeFirst() }
        return blocks
    }

    /// The last value of a name in the sections with that header; "global" includes what stands before any
    /// header. nil when it is not set there.
    package func value(of name: String, in header: String) -> Entry? {
        blocks.lazy.filter { ($0.header ?? "global") == header }.flatMap(\.entries).last { $0.name == name }
    }
}
