package mobilenet.tf.live

import mobilenet.tf.core.Box
import mobilenet.tf.tasks.Drawing
import mobilenet.tf.tasks.NoAnswer
import mobilenet.tf.tasks.Prediction
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test

class LiveStateTest {
    private val model = LoadedModel("digits", "XNNPACK", 2, null)
    private val other = model.copy(name = "other")
    private val running = LiveState<String>(model = model, camera = CameraState.RUNNING)

    private val drawing = Drawing(4, 3, emptyList(), null, Box(0, 0, 4, 3), Box(0, 0, 4, 3))

    private fun answer(label: String) = Answer(listOf(Prediction(label, 1f)), NoAnswer.BELOW_MINIMUM, drawing, 1.0, 2.0, 0)

    @Test
    fun theCameraIsOpenWhileNothingElseIsShown() {
        assertTrue(running.wantsCamera && running.canFreeze)
        assertFalse(running.preparing().wantsCamera)
        assertFalse(running.prepared("photo", answer("2")).wantsCamera)
        assertTrue(running.prepared("photo", answer("2")).live().wantsCamera)
        assertTrue("nothing to freeze", running.preparing().notPrepared().wantsCamera)
        assertFalse(running.copy(access = CameraAccess.CAN_ASK).wantsCamera)
        assertFalse(running.copy(camera = CameraState.OPENING).canFreeze)
    }

    @Test
    fun aStillKeepsItsOwnAnswer() {
        val still = running.preparing().answered(answer("late frame")).prepared("photo", answer("2")).answered(answer("late frame"))
        assertEquals(answer("2"), still.answer)
        assertNull("the camera's answers start anew", still.live().answer)
    }

    @Test
    fun anotherModelsAnswerIsNeverShown() {
        val still = running.prepared("photo", answer("2"))
        assertNull(still.opening().answer)
        assertNull("a frame of the old model", running.opening().answered(answer("old")).answer)
        val again = still.opening().opened(other).prepared("photo", answer("cat"))
        assertEquals(answer("cat") to "photo", again.answer to again.still)
        assertEquals(answer("new"), running.opening().opened(other).answered(answer("new")).answer)
    }

    @Test
    fun onlyTheLivePictureOfAFrontCameraIsMirrored() {
        assertFalse(running.mirrored)
        val front = running.copy(facesUser = true)
        assertTrue(front.mirrored)
        assertFalse(front.prepared("photo", answer("2")).mirrored)
    }

    @Test
    fun everyNoticeThatTheUserCanChangeHasAButton() {
        fun actions(state: LiveState<String>) = state.notice!!.actions
        assertEquals(listOf(Notice.Action.ALLOW), actions(running.copy(access = CameraAccess.CAN_ASK)))
        assertEquals(listOf(Notice.Action.SETTINGS), actions(running.copy(access = CameraAccess.BLOCKED)))
        assertEquals(listOf(Notice.Action.ALLOW, Notice.Action.SETTINGS), actions(running.copy(access = CameraAccess.MAY_BE_BLOCKED)))
        assertEquals(listOf(Notice.Action.RETRY), actions(running.copy(camera = CameraState.LOST)))
        assertEquals(listOf(Notice.Action.DISMISS), actions(running.failed("A sentence.")))
        val none = running.copy(camera = CameraState.NONE, access = CameraAccess.CAN_ASK)
        assertEquals("a permission would not help", Notice(Notice.Reason.NO_CAMERA), none.notice)
        assertNull(running.notice)
    }

    @Test
    fun errorsCoverEverythingUntilTheyAreDismissed() {
        val failed = running.prepared("photo", answer("2")).preparing().failed("A sentence.")
        assertEquals(Notice.Reason.ERROR, failed.notice!!.reason)
        assertEquals("photo" to answer("2"), failed.dismissed().still to failed.dismissed().answer)
        assertNull(failed.dismissed().notice)
        assertNull("a still needs no camera", running.prepared("photo", answer("2")).copy(camera = CameraState.LOST).notice)
    }
}
