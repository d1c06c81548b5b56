import BytesE
import CModuleABI
import ModuleKit
package import Unpacking

/// Calls `body` for each image of a disk, and for the file systems and partitions in them.
package func diskImageExtractors(_ body: (Extractor) -> Void) {
    body(ISOTreesUnpacker.extractor)
    body(UDFUnpacker.extractor)
    body(FATUnpacker.extractor)
    body(NTFSUnpacker.extractor)
    body(ExtUnpacker.extractor)
    body(HFSUnpacker.extractor)
    body(PartitionUnpacker.extractor)
    body(VHDUnpacker.extractor)
    body(VHDXUnpacker.extractor)
    body(VMDKUnpacker.extractor)
    body(QCOWUnpacker.extractor)
    body(DMGUnpacker.extractor)
}

extension ByteView {
    /// A number of the file as an index; nil when it lies outside of the view.
    func place(_ number: UInt64) -> Int? { number < UInt64(count) ? Int(number) : nil }
}

/// The base of images of which only some blocks are stored: they come out as one flat disk, without what is empty
/// behind the last stored block.
class SparseDiskUnpacker: Unpacker {
    private var isDone = false

    override final func next() throws(ModuleError) -> Bool {
        guard !isDone, mayHaveChildren() else { return false }
        isDone = true
        var child = Child()
        child.offset = 0
        child.extent = UInt64(data.count)
        var output = try Output(scan, in: object)
        try expand(into: &output)
        try close(&output, &child)
        guard !child.data.isEmpty else { return false }
        try submit(child)
        return true
    }

    /// Writes the disk.
    func expand(into output: inout Output) throws(ModuleError) {}

    /// Fills up with zeros to a place of the disk; false when a limit is met.
    final func fill(_ output: inout Output, to place: Int) throws(ModuleError) -> Bool {
        guard output.count < place else { return output.stoppedBy == 0 }
        return try output.append(0, count: place - output.count)
    }
}
