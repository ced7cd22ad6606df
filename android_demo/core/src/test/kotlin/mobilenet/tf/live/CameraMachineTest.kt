package mobilenet.tf.live

import org.junit.Assert.assertEquals
import org.junit.Test

class CameraMachineTest {
    /** Notes what the machine does; fails in the calls named in [failing]. */
    private inner class Link(private val events: CameraEvents) : CameraLink {
        val answers = events

        private fun note(call: String) {
            calls += call
            if (call in failing) throw IllegalStateException(call)
        }

        override fun open() = note("open")

        override fun configure() = note("configure")

        override fun start() = note("start")

        override fun close() = note("close")
    }

    private val calls = ArrayList<String>()
    private val states = ArrayList<CameraState>()
    private val links = ArrayList<Link>()
    private var failing = setOf<String>()
    private val machine = CameraMachine({ events -> Link(events).also { links += it } }, { states += it })

    private val steps = listOf<() -> Unit>(
        { machine.start() },
        { links.last().answers.opened() },
        { links.last().answers.configured() },
    )

    @Test
    fun framesFlowAfterThreeSteps() {
        steps.forEach { it() }
        machine.start()
        assertEquals(listOf("open", "configure", "start"), calls)
        assertEquals(listOf(CameraState.OPENING, CameraState.CONFIGURING, CameraState.RUNNING), states)
        machine.stop()
        machine.stop()
        assertEquals(listOf("open", "configure", "start", "close"), calls)
        assertEquals(CameraState.CLOSED, machine.state)
    }

    /** The user may leave at any moment, and the camera may answer afterwards. */
    @Test
    fun leavingAfterAnyStepReleasesTheCameraOnce() {
        for (count in 1..steps.size) {
            calls.clear()
            steps.take(count).forEach { it() }
            machine.stop()
            steps.drop(1).forEach { it() }
            links.last().answers.lost()
            assertEquals("after $count steps", 1, calls.count { it == "close" })
            assertEquals("close", calls.last())
            assertEquals(CameraState.CLOSED, machine.state)
        }
    }

    @Test
    fun anAnswerToAnEarlierAttemptIsIgnored() {
        machine.start()
        machine.stop()
        machine.start()
        links[0].answers.opened()
        links[0].answers.lost()
        assertEquals(CameraState.OPENING, machine.state)
        links[1].answers.opened()
        assertEquals(CameraState.CONFIGURING, machine.state)
    }

    @Test
    fun anExceptionInAnyCallLosesTheCamera() {
        for ((call, count) in listOf("open" to 1, "configure" to 2, "start" to 3)) {
            calls.clear()
            failing = setOf(call, "close")
            steps.take(count).forEach { it() }
            assertEquals(call, CameraState.LOST, machine.state)
            assertEquals("close", calls.last())
            failing = setOf()
            machine.start()
            assertEquals("the user can try again", CameraState.OPENING, machine.state)
            machine.stop()
        }
    }

    @Test
    fun aLostCameraIsOpenedAgainOnceByItself() {
        steps.forEach { it() }
        machine.available()
        assertEquals(1, links.size)
        links.last().answers.lost()
        assertEquals(CameraState.LOST, machine.state)
        machine.available()
        assertEquals(CameraState.OPENING, machine.state)
        links.last().answers.lost()
        machine.available()
        assertEquals("no endless loop", CameraState.LOST, machine.state)
        machine.start()
        assertEquals(3, links.size)
        machine.stop()
        machine.available()
        assertEquals(CameraState.CLOSED, machine.state)
    }

    @Test
    fun aDeviceWithoutCamera() {
        val none = CameraMachine({ null }, { states += it })
        none.start()
        assertEquals(CameraState.NONE, none.state)
        none.stop()
        assertEquals(listOf(CameraState.OPENING, CameraState.NONE, CameraState.CLOSED), states)
    }
}
