package import BytesE

extension PEFile {
    /// Icons that are looked at, whatever a file has.
    private static let iconLimit = 100

    /// Visits the images of the program's first icon group (in every language), which is what a user sees: each as a
    /// bitmap resource without its file header. Libraries have none, as ClamAV sees it.
    ///
    /// - Parameter visit: returns whether to go on.
    package func forEachIcon(_ layout: PELayout, _ visit: (ByteView) -> Bool) {
        guard !header.isDLL, layout.directoryCount > PEDirectory.resources.rawValue,
            directory(.resources)?.size ?? 0 != 0
        else { return }
        // The images by number: looking each up in the tree would cost the tree every time.
        var images: [(number: UInt32, resource: PEResource)] = []
        forEachResource(layout.addresses, type: PEResourceType.icon) { resource in
            if let number = resource.name.number { images.append((number, resource)) }
            return images.count < 4 * PEFile.iconLimit
        }
        var first: UInt32?
        var count = 0
        forEachResource(layout.addresses, type: PEResourceType.iconGroup) { group in
            let name = group.name.number ?? UInt32.max
            guard first == nil || first == name else { return false }
            first = name
            guard group.size > 6, let start = layout.addresses.offset(of: group.address),
                Int(group.size) <= bytes.count - start
            else { return true }
            let head = Fields(bytes: bytes, start: start)
            for entry in 0..<min(Int(head.half(4)), (Int(group.size) - 6) / 14) {
                let number = UInt32(head.half(6 + 14 * entry + 12))
                for image in images where image.number == number {
                    guard let place = layout.addresses.offset(of: image.resource.address) else { continue }
                    guard visit(bytes.dropFirst(place)) else {
                        count = PEFile.iconLimit
                        return false
                    }
                }
                count += 1
                if count >= PEFile.iconLimit { return false }
            }
            return true
        }
    }
}
