import ScanProtocol
import Testing

@Suite("Packets") struct PacketTests {
    @Test("a message of any size comes back from its packets", arguments: [0, 1, 65_527, 65_528, 65_529, 200_000])
    func reassembly(size: Int) throws {
        let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let message = WireMessage(type: 17, request: 0xdead_beef, body: body)
        var assembler = PacketAssembler(limit: WireLimits.reply)
        let packets = message.packets
        #expect(packets.allSatisfy { $0.count <= WireLimits.packet })
        for packet in packets.dropLast() {
            #expect(try assembler.add(packet) == nil)
            #expect(assembler.isInside)
        }
        #expect(try assembler.add(try #require(packets.last)) == message)
        #expect(!assembler.isInside)
    }

    @Test("the layout of the header is the documented one")
    func header() {
        let message = WireMessage(type: 0x0102, request: 0x0304_0506, body: [9])
        #expect(message.packets == [[0x02, 0x01, 0, 0, 0x06, 0x05, 0x04, 0x03, 9]])
    }

    @Test("a message beyond the limit is refused before it is whole")
    func limit() throws {
        var assembler = PacketAssembler(limit: 100_000)
        let packets = WireMessage(type: 1, body: [UInt8](repeating: 0, count: 100_001)).packets
        #expect(try assembler.add(packets[0]) == nil)
        #expect(throws: WireError(.tooLong, "message")) { try assembler.add(packets[1]) }
    }

    @Test("packets of two messages do not mix")
    func interleaving() throws {
        var assembler = PacketAssembler(limit: WireLimits.request)
        _ = try assembler.add(WireMessage(type: 1, request: 1, body: [UInt8](repeating: 0, count: 70_000)).packets[0])
        #expect(throws: WireError(.outOfOrder, "")) { try assembler.add(WireMessage(type: 1, request: 2).packets[0]) }
    }

    @Test("a short header, an unknown flag and a short continued packet are refused")
    func badPackets() {
        var assembler = PacketAssembler(limit: WireLimits.request)
        #expect(throws: WireError(.truncated, "")) { try assembler.add([1, 0, 0, 0, 0, 0, 0]) }
        #expect(throws: WireError(.badValue, "")) { try assembler.add([1, 0, 2, 0, 0, 0, 0, 0]) }
        #expect(throws: WireError(.badValue, "")) { try assembler.add([1, 0, 1, 0, 0, 0, 0, 0, 5]) }
    }
}
