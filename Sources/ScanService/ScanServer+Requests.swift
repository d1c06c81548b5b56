import Platform
import ScanProtocol
import ScanTransport

/// Requests of clients, from their arrival to the reply. The state is locked.
extension ScanServer {
    /// The connection of a client is ready for something.
    func serve(_ client: ServedClient, _ event: ReadySet.Event) {
        do throws(PacketLink.Failure) {
            try client.link.flush()
            // Nobody is left who could take a reply.
            guard !event.isEnd else { throw .ended }
            // One message a turn, so that no client starves the others.
            if event.isReadable, let incoming = try client.link.receive() {
                client.lastActivity = Clock.now
                do throws(WireError) {
                    try handle(incoming, of: client)
                } catch {
                    throw PacketLink.Failure.wire(error)
                }
            }
        } catch {
            if case .wire(let error) = error { log(.warning, "a client was dropped: \(error)") }
            drop(client)
        }
    }

    private func handle(_ incoming: PacketLink.Incoming, of client: ServedClient) throws(WireError) {
        let id = incoming.message.request
        switch try ScanRequest(incoming.message) {
        case .scan(var order):
            let object: ScanJob.Object
            switch (order.content, incoming.descriptor) {
            case (let content?, nil): object = .content(content)
            case (nil, let descriptor?): object = .descriptor(descriptor)
            default: throw WireError(.badValue, "SCAN: one object must come with it")
            }
            order.content = nil
            guard client.jobs[id] == nil else { throw WireError(.badValue, "request id, which is in use") }
            begin(order, object, id, client)
        case .answers(let answers):
            // A late answer to a scan that is over is no error.
            if let job = client.jobs[id], job.place == .suspended { resume(job, with: answers) }
        case .cancel:
            guard let job = client.jobs[id] else { return }
            client.jobs[id] = nil
            cancel(job)
        }
    }

    private func begin(_ order: ScanOrder, _ object: ScanJob.Object, _ id: UInt32, _ client: ServedClient) {
        if isDraining { return refuse(.busy, "this scanning process is ending", id, client) }
        guard let generation else { return refuse(.noModules, "no modules are loaded", id, client) }
        let room = settings.isIsolated ? 1 : settings.perClient
        guard client.jobs.count < room, jobs.count < settings.total else {
            return refuse(.busy, "\(jobs.count) scans are under way", id, client)
        }
        if let user = client.user {
            let foreign = jobs.values.filter { $0.user != nil }
            let same = foreign.count { $0.user == user }
            guard foreign.count < settings.foreignRequests, same < settings.foreignRequestsPerUser else {
                return refuse(.busy, "\(same) scans of this user are under way", id, client)
            }
        }
        guard let job = ScanJob(client: client, request: id, order: order, object: object, generation: generation)
        else { return refuse(.noModules, "no modules are loaded", id, client) }
        client.jobs[id] = job
        jobs[ObjectIdentifier(job)] = job
        queue.put(job, for: job.user)
    }

    private func refuse(_ reason: ScanFailure.Reason, _ text: String, _ id: UInt32, _ client: ServedClient) {
        reply(.failed(ScanFailure(reason, text)), to: client, id)
    }

    /// Goes on with a suspended scan.
    func resume(_ job: ScanJob, with answers: [Answer]) {
        job.place = .queued
        job.answer(answers)
        queue.put(job, for: job.user)
    }

    /// A job's turn on a thread is over.
    func complete(_ job: ScanJob) {
        let client = clients[job.client].flatMap { $0.jobs[job.request] === job ? $0 : nil }
        switch job.outcome {
        case .suspended(let questions):
            guard let client, !job.cancellation.isCancelled else {
                forgetAndRelease(job)
                return
            }
            job.place = .suspended
            job.suspendedAt = Clock.now
            if job.user != nil,
                jobs.values.count(where: { $0.user != nil && $0.place == .suspended })
                    > settings.foreignSuspended
            {
                return resume(job, with: [])
            }
            reply(.ask(questions), to: client, job.request)
        case .verdict(let verdict):
            statistics.scanned += 1
            if verdict.isInfected { statistics.infected += 1 }
            if !verdict.notScanned.isEmpty { statistics.incomplete += 1 }
            statistics.bytes &+= job.order.size
            statistics.time &+= verdict.duration
            finish(job, .verdict(verdict), client)
        case .failed(let failure):
            statistics.failed += 1
            finish(job, .failed(failure), client)
        case .cancelled:
            forgetAndRelease(job)
        }
    }

    private func finish(_ job: ScanJob, _ answer: ScanReply, _ client: ServedClient?) {
        forgetAndRelease(job)
        if let client { reply(answer, to: client, job.request) }
    }

    private func forgetAndRelease(_ job: ScanJob) {
        if let client = clients[job.client], client.jobs[job.request] === job { client.jobs[job.request] = nil }
        forget(job)
    }

    private func reply(_ reply: ScanReply, to client: ServedClient, _ id: UInt32) {
        client.link.enqueue(reply.message(request: id))
        client.lastActivity = Clock.now
        do throws(PacketLink.Failure) {
            if try !client.link.flush() { arm(client) }
        } catch {
            drop(client)
        }
    }

    /// Its result is not wanted any more.
    private func cancel(_ job: ScanJob) {
        job.cancellation.cancel()
        if job.place == .suspended { forgetAndRelease(job) }
    }

    /// Ends a client's connection and everything it asked for.
    func drop(_ client: ServedClient) {
        guard clients.removeValue(forKey: client.number) != nil else { return }
        heldBack.remove(client.number)
        ready.remove(client.link.socket)
        let held = client.jobs.values
        client.jobs = [:]
        for job in held { cancel(job) }
    }
}
