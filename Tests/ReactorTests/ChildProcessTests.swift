import Glibc
import Reactor
import Testing

@Suite struct ChildProcessTests {
    private func shell(
        on loop: EventLoop,
        _ script: String,
        environment: [String]? = nil,
        directory: String? = nil,
        hasControlPipe: Bool = false,
        descriptors: [Int32] = [],
        hasOwnSession: Bool = false,
        onExit: @escaping (ChildProcess.Exit) -> Void
    ) throws -> ChildProcess {
        try ChildProcess(
            on: loop,
            executable: "/bin/sh",
            arguments: ["-c", script],
            environment: environment,
            directory: directory,
            output: .discarded,
            hasControlPipe: hasControlPipe,
            descriptors: descriptors,
            hasOwnSession: hasOwnSession,
            onExit: onExit
        )
    }

    @Test func `a child's status is told`() throws {
        try withLoop { loop in
            var exits: [ChildProcess.Exit] = []
            let child = try self.shell(on: loop, "exit 3") { exits.append($0) }
            #expect(child.processID > 0)
            loop.run()
            #expect(exits == [.status(3)])
            child.kill(SIGKILL)  // too late: does nothing
        }
    }

    @Test func `a child that is killed says by which signal`() throws {
        try withLoop { loop in
            var exits: [ChildProcess.Exit] = []
            let child = try self.shell(on: loop, "exec sleep 1000") { exits.append($0) }
            child.kill(SIGTERM)
            loop.run()
            #expect(exits == [.signal(SIGTERM)])
        }
    }

    @Test func `a program that is not there is an error at once`() throws {
        try withLoop { loop in
            #expect(throws: UVError(code: -ENOENT, call: "start /no/such/program")) {
                _ = try ChildProcess(on: loop, executable: "/no/such/program", hasControlPipe: true) { _ in
                    Issue.record("nothing ran")
                }
            }
        }
    }

    @Test func `environment, directory and session are as asked`() throws {
        try withFolder { folder in
            try withLoop { loop in
                var heard = ""
                // Without the session's leader being the child itself, `ps` would be needed: field 6 of stat is it.
                let script = #"echo "$SEATS $PWD $(cut -d' ' -f1,6 /proc/$$/stat)" >&3"#
                let child = try self.shell(
                    on: loop,
                    script,
                    environment: ["SEATS=50", "PATH=/usr/bin:/bin"],
                    directory: folder,
                    hasControlPipe: true,
                    hasOwnSession: true
                ) { #expect($0 == .status(0)) }
                child.controlPipe?.onRead = { heard += text($0) }
                child.controlPipe?.startReading()
                loop.run()
                #expect(heard == "50 \(folder) \(child.processID) \(child.processID)\n")
            }
        }
    }

    @Test func `both sides may talk over the control pipe`() throws {
        try withLoop { loop in
            var heard = ""
            let child = try self.shell(on: loop, "cat <&3 >&3", hasControlPipe: true) { #expect($0 == .status(0)) }
            let pipe = try #require(child.controlPipe)
            pipe.onRead = { heard += text($0) }
            pipe.startReading()
            pipe.append("there and back")
            pipe.shutdown()
            loop.run()
            #expect(heard == "there and back")
        }
    }

    @Test(arguments: [true, false]) func `descriptors are passed on, in order, beside a control pipe or not`(
        hasPipe: Bool
    )
        throws
    {
        try withFolder { folder in
            try withLoop { loop in
                let paths: [String] = ["\(folder)/a", "\(folder)/b"]
                let files = paths.map { open($0, O_RDWR | O_CREAT | O_CLOEXEC, 0o600) }
                _ = try self.shell(
                    on: loop,
                    "echo first >&\(ChildProcess.firstDescriptor); echo second >&\(ChildProcess.firstDescriptor + 1)",
                    hasControlPipe: hasPipe,
                    descriptors: files
                ) { #expect($0 == .status(0)) }.controlPipe?.close()
                loop.run()
                for (file, expected) in zip(files, ["first\n", "second\n"]) {
                    var bytes = [UInt8](repeating: 0, count: 16)
                    let count = pread(file, &bytes, bytes.count, 0)
                    #expect(String(decoding: bytes[..<max(0, count)], as: UTF8.self) == expected)
                    close(file)
                }
            }
        }
    }

    @Test func `closing the handle lets the child live`() throws {
        try withLoop { loop in
            let child = try self.shell(on: loop, "exec sleep 1000") { _ in Issue.record("told after close") }
            let processID = child.processID
            child.close()
            loop.run()
            #expect(kill(processID, 0) == 0)
            kill(processID, SIGKILL)
            var status: Int32 = 0
            #expect(waitpid(processID, &status, 0) == processID)
        }
    }

    @Test func `a child sees the end of the control pipe when its parent dies`() async throws {
        var template = Array("/tmp/usher-XXXXXX".utf8CString)
        let folder = try #require(mkdtemp(&template).map { String(cString: $0) })
        let path = "\(folder)/news"
        try #require(mkfifo(path, 0o600) == 0)
        let news = open(path, O_RDONLY | O_NONBLOCK)
        await #expect(processExitsWith: .success) { [path = path as String] in
            let loop = try EventLoop()
            _ = try ChildProcess(
                on: loop,
                executable: "/bin/sh",
                arguments: ["-c", "cat <&3; echo gone > '\(path)'"],
                output: .discarded,
                hasControlPipe: true
            ) { _ in }
            exit(0)  // nothing is closed here: the kernel does it
        }
        var poll = pollfd(fd: news, events: Int16(POLLIN), revents: 0)
        #expect(Glibc.poll(&poll, 1, 30_000) == 1)
        close(news)
        unlink(path)
        rmdir(folder)
    }
}
