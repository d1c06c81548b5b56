import Bytes
import SMTP

func view<R>(_ bytes: [UInt8], _ body: (ByteView) throws -> R) rethrows -> R {
    try bytes.withUnsafeBufferPointer { try body(ByteView($0)) }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

func parse(_ line: String) -> CommandParser.Result { view(bytes(line), CommandParser.parse) }

extension ServerSession {
    mutating func receive(_ text: String) { view(bytes(text)) { receive($0) } }
    mutating func content(_ text: String, into out: inout [UInt8]) -> ContentEnd? {
        view(bytes(text)) { content($0, into: &out) }
    }
    mutating func events() -> [Event] {
        var events: [Event] = []
        while let event = next() { events.append(event) }
        return events
    }
}

func replies(_ text: String, chunk: Int = .max) throws -> [Reply] {
    var parser = ReplyParser()
    var out: [Reply] = []
    let all = bytes(text)
    var offset = 0
    while offset < all.count {
        let end = chunk > all.count - offset ? all.count : offset + chunk
        try view(Array(all[offset..<end])) { try parser.receive($0, into: &out) }
        offset = end
    }
    return out
}
