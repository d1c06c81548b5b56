import BytesE
import CModuleABI
import MIMEE
import ModuleKit
import Unpacking

/// Uuencoded files inside a text.
final class UUUnpacker: Unpacker {
    private var blocks: UUBlocks
    private var failure: ModuleError?

    init(_ scan: ScanContext, _ object: UnsafePointer<em_object>) {
        let data = ByteView(object.pointee.data)
        blocks = UUBlocks(data, in: 0..<data.count)
        super.init(scan, object, format: "UUE")
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren() else { return false }
        let block = blocks.next { [self] in
            do throws(ModuleError) {
                try scan.check()
                return true
            } catch {
                failure = error
                return false
            }
        }
        if let failure { throw failure }
        guard let block else { return false }
        let input = data.slice(block.body.lowerBound, block.body.upperBound)
        var child = Child()
        child.offset = UInt64(block.range.lowerBound)
        child.extent = UInt64(block.range.count)
        if !block.isComplete { child.flags |= EM_OBJECT_TRUNCATED }
        var output = try Output(scan, in: object, expected: input.count)
        var decoder = TransferDecoder(block.encoding)
        var position = 0
        while position < input.count, let room = try output.room() {
            output.advance(decoder.decode(input, from: &position, into: room))
        }
        try close(&output, &child)
        let name = data.slice(block.name.lowerBound, block.name.upperBound)
        try submit(child, name: EncodedWords.decode(name))
        return true
    }
}
