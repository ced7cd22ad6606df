package mobilenet.tf.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertSame
import org.junit.Assert.assertThrows
import org.junit.Test

class UserErrorTest {
    private fun message(thrown: Throwable) =
        assertThrows(UserError::class.java) { orUserError { throw thrown } }.message

    @Test
    fun whateverIsThrownBecomesOneSentence() {
        assertEquals("This failed unexpectedly: Division by zero.", message(ArithmeticException("Division by zero.\nmore")))
        assertEquals("This failed unexpectedly: IllegalStateException.", message(IllegalStateException()))
        assertEquals("The file does not fit into this device's memory.", message(OutOfMemoryError()))
        assertEquals("The file is nested too deeply.", message(StackOverflowError()))
        assertEquals("This app does not contain the runtime for this processor.", message(UnsatisfiedLinkError("x")))
    }

    @Test
    fun resultsAndUserErrorsPassThrough() {
        assertEquals(3, orUserError { 3 })
        val error = UserError("A sentence.")
        assertSame(error, assertThrows(UserError::class.java) { orUserError { throw error } })
    }
}
