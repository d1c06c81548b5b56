import FakeEngine
