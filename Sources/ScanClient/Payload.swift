import Platform
import ScanProtocol

/// What one scan of the asynchronous client is about.
enum Payload: Sendable {
    case object(ScanObject)
    /// A short object in memory, which travels within the request where the other side understands that.
    case content([UInt8], name: String)

    var name: String {
        switch self {
        case .object(let object): object.name
        case .content(_, let name): name
        }
    }

    /// In bytes.
    var size: UInt64 {
        switch self {
        case .object(let object): object.size
        case .content(let bytes, _): UInt64(bytes.count)
        }
    }

    /// A descriptor of the object: the one there is, or a new sealed memfd.
    func descriptor() throws(SystemError) -> Descriptor {
        switch self {
        case .object(let object): return object.descriptor
        case .content(let bytes, _):
            let memory = try Descriptor.memory(name: "esets-object")
            try memory.writeAll(bytes)
            try memory.seal()
            return memory
        }
    }
}
