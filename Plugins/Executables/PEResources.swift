package import BytesE

/// A piece of data in the resources of a PE file, with its way through the tree: type, name, language.
package struct PEResource: Sendable {
    package let type, name, language: PEResourceName
    /// The data's address from the image's base, as declared.
    package let address: UInt32
    package let size: UInt32
    /// Where the description of the data (IMAGE_RESOURCE_DATA_ENTRY) lies in the file.
    package let entryOffset: Int
}

/// What names a branch of the resource tree.
package enum PEResourceName: Sendable {
    case number(UInt32)
    /// UTF-16, little-endian.
    case text(ByteView)

    package var number: UInt32? {
        if case .number(let number) = self { return number }
        return nil
    }
}

/// Types of resources.
package enum PEResourceType {
    package static let icon: UInt32 = 3
    package static let iconGroup: UInt32 = 14
    package static let version: UInt32 = 16
}

extension PEFile {
    /// Entries of directories that are looked at, all levels together: a tree may name a branch many times.
    package static let resourceLimit = 65_536

    /// Visits the resources in the order of the tree.
    ///
    /// - Parameters:
    ///   - addresses: how the file is read; `self.addresses` or those of a `PELayout`.
    ///   - type: only resources whose type has this number; nil: all.
    ///   - visit: returns whether to go on.
    /// - Returns: whether the file has a resource directory.
    @discardableResult
    package func forEachResource(
        _ addresses: PEAddresses, type: UInt32? = nil, _ visit: (PEResource) -> Bool
    ) -> Bool {
        guard let root = directory(.resources), root.address != 0 else { return false }
        var tree = ResourceTree(file: self, root: root.address, addresses: addresses)
        guard tree.hasDirectory(at: root.address) else { return false }
        tree.forEachEntry(at: root.address) { tree, typeName, typeOffset, isTable in
            if let type, typeName.number != type { return true }
            guard isTable else { return true }
            var goOn = true
            tree.forEachEntry(at: root.address &+ typeOffset) { tree, name, nameOffset, isTable in
                guard isTable else { return true }
                tree.forEachEntry(at: root.address &+ nameOffset) { tree, language, offset, isTable in
                    guard !isTable, let place = addresses.offset(of: root.address &+ offset),
                        let address = bytes.load(UInt32.self, at: place),
                        let size = bytes.load(UInt32.self, at: place + 4)
                    else { return true }
                    goOn = visit(
                        PEResource(
                            type: typeName, name: name, language: language, address: address, size: size,
                            entryOffset: place))
                    return goOn
                }
                return goOn
            }
            // A second branch of the type that was asked for does not count.
            return goOn && type == nil
        }
        return true
    }

    /// The bytes of a resource, as many as the file has; nil when none of them is in the file.
    package func content(of resource: PEResource, _ addresses: PEAddresses) -> ByteView? {
        guard let start = addresses.offset(of: resource.address) else { return nil }
        return bytes.slice(start, start + Int(resource.size))
    }
}

/// Reads directories of resources within a number of entries.
private struct ResourceTree {
    let file: PEFile
    /// Address of the tree: offsets in it count from here.
    let root: UInt32
    let addresses: PEAddresses
    var left = PEFile.resourceLimit

    init(file: PEFile, root: UInt32, addresses: PEAddresses) {
        self.file = file
        self.root = root
        self.addresses = addresses
    }

    func hasDirectory(at address: UInt32) -> Bool {
        addresses.offset(of: address).map { $0 <= file.bytes.count - 16 } ?? false
    }

    /// Visits the entries of one directory: name, offset, whether that is a directory.
    mutating func forEachEntry(
        at address: UInt32, _ visit: (inout ResourceTree, PEResourceName, UInt32, Bool) -> Bool
    ) {
        guard let start = addresses.offset(of: address), start <= file.bytes.count - 16 else { return }
        let head = Fields(bytes: file.bytes, start: start)
        let count = Int(head.half(12)) + Int(head.half(14))
        for number in 0..<count {
            guard left > 0, start + 24 + 8 * number <= file.bytes.count else { return }
            left -= 1
            let id = head.long(16 + 8 * number)
            let offset = head.long(20 + 8 * number)
            let isNamed = id >> 31 != 0
            let name: PEResourceName = isNamed ? .text(text(id & 0x7fff_ffff)) : .number(id)
            guard visit(&self, name, offset & 0x7fff_ffff, offset >> 31 != 0) else { return }
        }
    }

    private func text(_ offset: UInt32) -> ByteView {
        guard let start = addresses.offset(of: root &+ offset), let count = file.bytes.load(UInt16.self, at: start)
        else { return ByteView() }
        return file.bytes.slice(start + 2, start + 2 + 2 * Int(count))
    }
}
