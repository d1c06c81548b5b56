import BytesE
import CModuleABI
import ModuleKit
package import Unpacking

/// Calls `body` for each format in which programs carry files, scripts and other programs.
package func packerExtractors(_ body: (Extractor) -> Void) {
    body(UPXUnpacker.extractor)
    body(ResourceUnpacker.extractor)
    body(InnoSetupUnpacker.extractor)
    body(IconUnpacker.extractor)
    body(AutoItUnpacker.extractor)
    body(InstallShieldUnpacker.extractor)
}
