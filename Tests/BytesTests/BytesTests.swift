import Bytes
import Testing

@Suite struct SearchTests {
    /// Every length around the steps of eight, every place, among bytes that differ from the one searched in one bit.
    @Test func findsTheFirstAndTheLast() {
        for count in 0...40 {
            for place in 0..<max(1, count) {
                for (wanted, filler) in [(UInt8(0x06), UInt8(0x07)), (0x00, 0x01), (0x80, 0x81), (0xFF, 0xFE)] {
                    var bytes = [UInt8](repeating: filler, count: count)
                    if count > 0 { bytes[place] = wanted }
                    bytes.withUnsafeBufferPointer { buffer in
                        let view = ByteView(buffer)
                        let expected = count > 0 ? place : nil
                        #expect(view.firstIndex(of: wanted) == expected)
                        #expect(view.firstIndex(of: wanted, from: place) == expected)
                        #expect(view.firstIndex(of: wanted, from: place + 1) == nil)
                        #expect(view.lastIndex(of: wanted, in: 0..<count) == expected)
                        #expect(view.lastIndex(of: wanted, in: place..<count + 100) == expected)
                        #expect(view.lastIndex(of: wanted, in: 0..<place) == nil)
                        #expect(view.lastIndex(of: wanted, in: place + 1..<count + 100) == nil)
                    }
                }
            }
        }
    }

    @Test func findsTheNearestOfSeveral() {
        let bytes = Array("..a..a.........a.a....................".utf8)
        bytes.withUnsafeBufferPointer { buffer in
            let view = ByteView(buffer)
            #expect(view.firstIndex(of: 0x61) == 2)
            #expect(view.firstIndex(of: 0x61, from: 6) == 15)
            #expect(view.firstIndex(of: 0x61, from: .max) == nil)
            #expect(view.lastIndex(of: 0x61, in: 0..<bytes.count) == 17)
            #expect(view.lastIndex(of: 0x61, in: 3..<15) == 5)
        }
    }

    /// A needle at every place of texts of every length around the steps of sixteen, with its first or its last byte before it.
    @Test(arguments: ["--", "data:", "begin", "x"]) func findsNeedles(_ needle: String) {
        let wanted = Array(needle.utf8)
        let capitals = Array(needle.uppercased().utf8)
        for count in wanted.count...50 {
            for place in 0...(count - wanted.count) {
                var bytes = [UInt8](repeating: wanted[0] ^ 0x40, count: count)
                if place > 2, wanted.count > 1 { bytes[place - 2] = wanted[wanted.count - 1] }
                bytes.replaceSubrange(place..<place + wanted.count, with: wanted)
                var shouted = bytes
                shouted.replaceSubrange(place..<place + wanted.count, with: capitals)
                wanted.withUnsafeBufferPointer { needle in
                    let needle = ByteView(needle)
                    bytes.withUnsafeBufferPointer { buffer in
                        #expect(ByteView(buffer).firstIndex(of: needle) == place)
                        #expect(ByteView(buffer).firstIndex(of: needle, from: place) == place)
                        #expect(ByteView(buffer).firstIndex(of: needle, from: place + 1) == nil)
                        #expect(ByteView(buffer).prefix(place + needle.count - 1).firstIndex(of: needle) == nil)
                    }
                    shouted.withUnsafeBufferPointer { buffer in
                        #expect(ByteView(buffer).firstIndex(ofIgnoringCase: needle) == place)
                        let isSame = wanted == capitals
                        #expect(ByteView(buffer).firstIndex(of: needle) == (isSame ? place : nil))
                    }
                }
            }
        }
    }

    @Test func findsEitherOfTwo() {
        for place in 0..<40 {
            var bytes = [UInt8](repeating: 0x2E, count: 40)
            bytes[place] = place % 2 == 0 ? 0x0A : 0x0D
            if place < 39 { bytes[39] = 0x0A }
            bytes.withUnsafeBufferPointer { buffer in
                #expect(ByteView(buffer).firstIndex(of: 0x0A, or: 0x0D) == place)
                #expect(ByteView(buffer).firstIndex(of: 0x0A, or: 0x0D, from: place + 1) == (place < 39 ? 39 : nil))
            }
        }
    }

    @Test func findsTheFirstBelow() {
        for count in 0...40 {
            for place in 0..<max(1, count) {
                for (low, filler) in [(UInt8(0x0D), UInt8(0x0E)), (0x00, 0x80), (0x0A, 0xFF), (0x0D, 0x8E)] {
                    var bytes = [UInt8](repeating: filler, count: count)
                    if count > 0 { bytes[place] = low }
                    bytes.withUnsafeBufferPointer { buffer in
                        let view = ByteView(buffer)
                        #expect(view.firstIndex(below: 0x0E) == (count > 0 ? place : 0))
                        #expect(view.firstIndex(below: 0x0E, from: place + 1) == count)
                    }
                }
            }
        }
    }
}
