import CLinux
import Glibc

/// Bytes that the kernel has not taken yet.
final class OutputQueue {
    enum Progress {
        case done
        case blocked
        case failed
    }

    private var bytes: [UInt8] = []
    private var head = 0
    /// A send that failed; nothing more is tried.
    private(set) var failure: StreamError?

    /// Number of bytes.
    var count: Int { bytes.count - head }
    var isEmpty: Bool { head == bytes.count }

    /// Takes over the bytes, leaving the array empty but with some capacity where possible.
    func append(_ more: inout [UInt8]) {
        if isEmpty {
            bytes.removeAll(keepingCapacity: true)
            head = 0
            swap(&bytes, &more)
        } else {
            bytes.append(contentsOf: more)
            more.removeAll(keepingCapacity: true)
        }
    }

    /// Sends until nothing is left or the kernel takes no more.
    func drain(_ descriptor: Int32) -> Progress {
        guard failure == nil else { return .failed }
        while !isEmpty {
            let sent = bytes.withUnsafeBytes { buffer in
                CLinux_send(descriptor, buffer.baseAddress.map { $0 + head }, UInt64(count), 0)
            }
            if sent == -Int64(EAGAIN) {
                compact()
                return .blocked
            }
            guard sent >= 0 else {
                failure = StreamError(failure: Int(sent), call: "send")
                clear()
                return .failed
            }
            head += Int(sent)
        }
        clear()
        return .done
    }

    /// A large answer must not keep its memory for the rest of the connection.
    private func clear() {
        head = 0
        bytes.removeAll(keepingCapacity: bytes.capacity <= 65_536)
    }

    /// Moves the rest to the front when most of the array was sent: amortised constant cost per byte.
    private func compact() {
        guard head > 65_536, head > bytes.count / 2 else { return }
        bytes.removeSubrange(..<head)
        head = 0
    }
}
