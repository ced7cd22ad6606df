package mobilenet.tf.core

/** An error that the app shows to the user, such as an unreadable file. The message is one full sentence. */
class UserError(message: String, cause: Throwable? = null) : Exception(message, cause)

/**
 * Return [work]'s result, or turn whatever it throws into a [UserError].
 *
 * The outermost call of a background thread, where anything that escapes ends the app. Models and
 * photos come from elsewhere, and other apps' content providers may throw any exception.
 *
 * @throws UserError if [work] fails.
 */
inline fun <T> orUserError(work: () -> T): T = try {
    work()
} catch (error: UserError) {
    throw error
} catch (error: OutOfMemoryError) {
    throw UserError("The file does not fit into this device's memory.", error)
} catch (error: StackOverflowError) {
    throw UserError("The file is nested too deeply.", error)
} catch (error: LinkageError) {
    throw UserError("This app does not contain the runtime for this processor.", error)
} catch (error: Exception) {
    throw UserError("This failed unexpectedly: ${firstLine(error)}.", error)
}

/** Return the first line of an error's message without its full stop, or its class if there is no message. */
fun firstLine(error: Throwable): String =
    error.message.orEmpty().trim().lineSequence().first().trimEnd('.').ifEmpty { error.javaClass.simpleName }
