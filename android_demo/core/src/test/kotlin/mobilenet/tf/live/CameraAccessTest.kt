package mobilenet.tf.live

import mobilenet.tf.live.CameraAccess.BLOCKED
import mobilenet.tf.live.CameraAccess.CAN_ASK
import mobilenet.tf.live.CameraAccess.GRANTED
import mobilenet.tf.live.CameraAccess.MAY_BE_BLOCKED
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test

class CameraAccessTest {
    @Test
    fun onlyTwoDenialsInARowAreForGood() {
        assertEquals("denied once", CAN_ASK, CameraAccess.afterRequest(granted = false, before = false, after = true))
        assertEquals("denied twice", BLOCKED, CameraAccess.afterRequest(granted = false, before = true, after = false))
        assertEquals("dismissed again", CAN_ASK, CameraAccess.afterRequest(granted = false, before = true, after = true))
        assertEquals("allowed", GRANTED, CameraAccess.afterRequest(granted = true, before = true, after = false))
    }

    /** A dismissed dialog and a dialog that Android never showed look the same, so both ways are offered. */
    @Test
    fun anUnclearDenialOffersBothWays() {
        val unclear = CameraAccess.afterRequest(granted = false, before = false, after = false)
        assertEquals(MAY_BE_BLOCKED, unclear)
        assertTrue(unclear.asks && unclear.needsSettings)
        assertTrue(CAN_ASK.asks && !CAN_ASK.needsSettings)
        assertTrue(!BLOCKED.asks && BLOCKED.needsSettings)
    }

    @Test
    fun theUserMayChangeItElsewhere() {
        assertEquals(GRANTED, BLOCKED.now(granted = true))
        assertEquals("only this time", CAN_ASK, GRANTED.now(granted = false))
        assertEquals(BLOCKED, BLOCKED.now(granted = false))
    }
}
