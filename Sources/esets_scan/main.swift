// esets_scan: the on-demand scanner (reference: esets_scan(8)).

import Configuration
import Glibc
import OnDemand
import Platform
import Programs
import Quarantine
import ScanClient
import ScanProtocol

let program = ScanCommand.program
let arguments = program.arguments()
do throws(UsageError) {
    let command = try ScanCommand(arguments)
    exit(command.run())
} catch {
    program.fail(usage: error)
}
