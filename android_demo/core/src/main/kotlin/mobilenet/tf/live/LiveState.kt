package mobilenet.tf.live

import mobilenet.tf.tasks.Drawing
import mobilenet.tf.tasks.NoAnswer
import mobilenet.tf.tasks.Prediction

/** The model in use and what runs it; [fallback] says why the requested accelerator does not. */
data class LoadedModel(val name: String, val accelerator: String, val threads: Int, val fallback: String?)

/**
 * A model's answer to an image.
 *
 * @property predictions most likely classes or the like, best first.
 * @property noAnswer why there are no predictions, if there are none.
 * @property drawing what is drawn over the image.
 * @property preprocessing median over the last images, in milliseconds.
 * @property inference median over the last images, in milliseconds.
 * @property dropped number of camera frames dropped so far.
 */
data class Answer(
    val predictions: List<Prediction>,
    val noAnswer: NoAnswer,
    val drawing: Drawing,
    val preprocessing: Double,
    val inference: Double,
    val dropped: Long,
)

/** A message over the image. */
data class Notice(val reason: Reason, val actions: List<Action> = emptyList()) {
    enum class Reason { ERROR, DENIED, LOST, NO_CAMERA }
    enum class Action { DISMISS, ALLOW, SETTINGS, RETRY }
}

/**
 * Everything that the live screen shows. Immutable: each event returns the next state.
 *
 * @param P type of a picture.
 * @property model null while a model is being opened, and if none could be.
 * @property answer to the newest frame, or to the still image if there is one.
 * @property still the image that [answer] belongs to; null shows the camera.
 * @property waiting whether a photo is being read or a frame being frozen.
 * @property facesUser whether the camera looks at the user, so that its preview is mirrored.
 * @property error one sentence, until the user has seen it.
 */
data class LiveState<P>(
    val model: LoadedModel? = null,
    val answer: Answer? = null,
    val still: P? = null,
    val waiting: Boolean = false,
    val access: CameraAccess = CameraAccess.GRANTED,
    val camera: CameraState = CameraState.CLOSED,
    val canSwitch: Boolean = false,
    val facesUser: Boolean = false,
    val error: String? = null,
) {
    /** Whether the camera should be open while the screen is in front. */
    val wantsCamera: Boolean get() = still == null && !waiting && access == CameraAccess.GRANTED

    val canFreeze: Boolean get() = wantsCamera && camera == CameraState.RUNNING

    /** Whether what is drawn over the image is mirrored as well. Still images are not. */
    val mirrored: Boolean get() = facesUser && still == null

    val notice: Notice?
        get() = when {
            error != null -> Notice(Notice.Reason.ERROR, listOf(Notice.Action.DISMISS))
            still != null || waiting -> null
            camera == CameraState.NONE -> Notice(Notice.Reason.NO_CAMERA)
            access != CameraAccess.GRANTED -> Notice(
                Notice.Reason.DENIED,
                listOfNotNull(Notice.Action.ALLOW.takeIf { access.asks }, Notice.Action.SETTINGS.takeIf { access.needsSettings }),
            )
            camera == CameraState.LOST -> Notice(Notice.Reason.LOST, listOf(Notice.Action.RETRY))
            else -> null
        }

    /** A model is being opened: the answer of the one before is no longer shown. */
    fun opening() = copy(model = null, answer = null, error = null)

    fun opened(model: LoadedModel) = copy(model = model)

    /** Answers to frames that were under way when the user chose something else are ignored. */
    fun answered(answer: Answer) = if (model == null || still != null || waiting) this else copy(answer = answer)

    fun preparing() = copy(waiting = true, error = null)

    /** A photo, a frozen frame, or the same still image with another model. */
    fun prepared(still: P, answer: Answer) = copy(still = still, answer = answer, waiting = false, error = null)

    /** There was no frame to freeze. */
    fun notPrepared() = copy(waiting = false)

    fun failed(message: String) = copy(waiting = false, error = message)

    fun dismissed() = copy(error = null)

    fun live() = copy(still = null, answer = null, waiting = false, error = null)
}
