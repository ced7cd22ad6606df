package mobilenet.tf.live

/** Whether the app may use the camera, and what the user can do about it. */
enum class CameraAccess {
    GRANTED,

    /** The system shows its dialog if the app asks. */
    CAN_ASK,

    /** The user closed the dialog, or had denied the camera for good before. Android does not tell which. */
    MAY_BE_BLOCKED,

    /** Only the system's settings can change it. */
    BLOCKED;

    /** Whether asking may help. */
    val asks: Boolean get() = this == CAN_ASK || this == MAY_BE_BLOCKED

    /** Whether the system's settings may be needed. */
    val needsSettings: Boolean get() = this == BLOCKED || this == MAY_BE_BLOCKED

    /** Return the access when the app comes to the front; it may have changed in the system's settings. */
    fun now(granted: Boolean): CameraAccess = when {
        granted -> GRANTED
        // It was taken away, or granted for one time only.
        this == GRANTED -> CAN_ASK
        else -> this
    }

    companion object {
        /**
         * Return the access after a request.
         *
         * @param before whether Android advised to explain the permission before the request. It does so
         *   after a first denial.
         * @param after the same after the request. After a second denial it no longer does.
         */
        fun afterRequest(granted: Boolean, before: Boolean, after: Boolean): CameraAccess = when {
            granted -> GRANTED
            after -> CAN_ASK
            before -> BLOCKED
            else -> MAY_BE_BLOCKED
        }
    }
}
