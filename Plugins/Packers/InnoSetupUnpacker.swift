import BytesE
import CModuleABI
import Executables
import ModuleKit
import Unpacking

/// Installers of Inno Setup, which are not opened: that something in them was not scanned is said, in place of silence.
final class InnoSetupUnpacker: Unpacker {
    /// The resource in which installers since version 5.1.5 say where everything lies.
    private static let table: UInt32 = 11111

    static var extractor: Extractor {
        Extractor(
            "INNO",
            identify: { candidate in
                let data = candidate.data
                if data.hasPrefix(ByteView("MZ")) {
                    return isInstaller(data) ? Claim(.beside, sureness: 90, type: EM_TYPE_UNKNOWN) : nil
                }
                // What large installers have beside the program.
                let isPart =
                    data.hasPrefix(ByteView("Inno Setup Setup Data (")) || data.hasPrefix(ByteView("idska16\u{1A}"))
                    || data.hasPrefix(ByteView("idska32\u{1A}"))
                return isPart ? Claim(.whole, sureness: 80, type: EM_TYPE_ARCHIVE) : nil
            },
            open: { scan, object, _ throws(ModuleError) in InnoSetupUnpacker(scan, object, format: "INNO") })
    }

    private static func isInstaller(_ data: ByteView) -> Bool {
        // Older ones have the place of the table and its complement behind "Inno" in the header for DOS.
        if data.load(UInt32.self, at: 0x30) == 0x6f6e_6e49, let place = data.load(UInt32.self, at: 0x34),
            data.load(UInt32.self, at: 0x38) == ~place
        {
            return isTable(data, at: Int(place))
        }
        guard let file = PEFile(data), let directory = file.directory(.resources), directory.address != 0 else {
            return false
        }
        let addresses = file.addresses
        var isOne = false
        file.forEachResource(addresses, type: 10) { resource in
            guard resource.name.number == table, let place = addresses.offset(of: resource.address) else { return true }
            isOne = isTable(data, at: place)
            return !isOne
        }
        return isOne
    }

    private static func isTable(_ data: ByteView, at place: Int) -> Bool {
        let head = data.dropFirst(place)
        return head.hasPrefix(ByteView("rDlPtS")) || head.hasPrefix(ByteView("nS5W7dT"))
    }

    override func next() throws(ModuleError) -> Bool {
        found(EM_OBJECT_UNSUPPORTED)
        return false
    }
}
